import type { LayerMessage } from "../../core/consumer.ts";
import { freezeJson, type PlainMessage } from "../local/plain_message.ts";

/** A message in transit between processes. */
export interface BusFrame {
  /** The channel that it is for, if it is for one. */
  readonly channel: string | undefined;
  /** The group that it was sent to, if any. */
  readonly group: string | undefined;
  /** A member that does not receive it. */
  readonly except: string | undefined;
  readonly plain: PlainMessage;
}

/** The recipient of a {@linkcode BusFrame}. */
export type BusAddress = Partial<Pick<BusFrame, "channel" | "group" | "except">>;

/** Raised with each incompatible change of format: processes ignore frames of another version. */
const VERSION = 1;

/** Encodes a frame: an array that starts with the version. `id` makes each frame unique. */
export function encodeBusFrame(id: string, to: BusAddress, message: LayerMessage): string {
  const { channel = null, group = null, except = null } = to;
  const head = JSON.stringify([VERSION, id, channel, group, except]);
  return `${head.slice(0, -1)},${JSON.stringify(message)}]`;
}

/**
 * Decodes a frame.
 *
 * @throws {Error} The text is not a frame, or has another version.
 */
export function decodeBusFrame(text: string): BusFrame {
  const parts: unknown = JSON.parse(text);
  if (!Array.isArray(parts) || parts[0] !== VERSION || parts.length !== 6) {
    throw new Error(`Not a frame of version ${VERSION}`);
  }
  const [, , channel, group, except, message] = parts as unknown[];
  if (!isMessage(message)) throw new Error("Not a message");
  return {
    channel: nameOrNothing(channel),
    group: nameOrNothing(group),
    except: nameOrNothing(except),
    plain: { message: freezeJson(message), size: text.length },
  };
}

function nameOrNothing(value: unknown): string | undefined {
  if (value === null) return undefined;
  if (typeof value === "string") return value;
  throw new Error("Not a name");
}

function isMessage(value: unknown): value is LayerMessage {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "type") &&
    typeof (value as { type: unknown }).type === "string" &&
    (value as { type: string }).type !== "";
}
