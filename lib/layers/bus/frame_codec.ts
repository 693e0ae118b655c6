import type { LayerMessage } from "../../core/consumer.ts";
import { freezeJson, type PlainMessage } from "../input.ts";
import type { LayerCipher } from "./layer_cipher.ts";

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

/** Encodes and decodes the frames of one process, encrypted if there is a key. */
export class FrameCodec {
  readonly #process: string;
  readonly #cipher: LayerCipher | undefined;
  #serial = 0;

  constructor(process: string, cipher: LayerCipher | undefined) {
    this.#process = process;
    this.#cipher = cipher;
  }

  /** Encodes a frame for a place. Each frame is unique. */
  encode(place: string, to: BusAddress, { message }: PlainMessage): string {
    const id = `${this.#process}.${(++this.#serial).toString(36)}`;
    const frame = encodeBusFrame(id, to, message);
    return this.#cipher?.encrypt(frame, place) ?? frame;
  }

  /** Decodes a frame of a place. @throws {Error} It is not a frame, or not encrypted with a known key. */
  decode(text: string, place: string): BusFrame {
    return decodeBusFrame(this.#cipher?.decrypt(text, place) ?? text);
  }

  /**
   * Returns the forms in which a member may be stored at a place; new members use the first. With keys,
   * each form includes a proof, so that only key holders can add members.
   */
  memberForms(place: string, channel: string): readonly [string, ...string[]] {
    if (this.#cipher === undefined) return [channel];
    const [first, ...others] = this.#cipher.sign(channel, place);
    return [`${channel} ${first}`, ...others.map((proof) => `${channel} ${proof}`)];
  }

  /** Returns the channels of stored members, without those whose proof is invalid. */
  decodeMembers(place: string, forms: readonly string[]): readonly string[] {
    if (this.#cipher === undefined || forms.length === 0) return forms;
    const channels = forms.map((form) => form.split(" ", 1)[0]!);
    const valid = channels.filter((channel, index) =>
      this.memberForms(place, channel).includes(forms[index]!)
    );
    return [...new Set(valid)];
  }
}

/** Encodes a frame: an array that starts with the version. `id` makes each frame unique. */
function encodeBusFrame(id: string, to: BusAddress, message: LayerMessage): string {
  const { channel = null, group = null, except = null } = to;
  const head = JSON.stringify([VERSION, id, channel, group, except]);
  return `${head.slice(0, -1)},${JSON.stringify(message)}]`;
}

/**
 * Decodes a frame.
 *
 * @throws {Error} The text is not a frame, or has another version.
 */
function decodeBusFrame(text: string): BusFrame {
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
