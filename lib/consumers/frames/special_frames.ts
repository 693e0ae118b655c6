import type { LayerGap } from "../../core/consumer.ts";
import type { Scope } from "../../core/scope.ts";
import {
  type ClientFrame,
  encodeMessage,
  encodeReply,
  parseClientFrame,
  parsePing,
  type PingData,
  type PongData,
} from "../../protocol/frames.ts";
import type { GapData } from "../../protocol/messages.ts";

/** Returns the data of the reply to a `ping`: the id of the client's user, if the client asks for it. */
export function pong({ data }: ClientFrame, scope: Scope): PongData | undefined {
  if ((data as PingData | null | undefined)?.ask !== "user") return undefined;
  const { user } = scope as Scope & { readonly user?: { readonly id?: unknown } };
  return { user: typeof user?.id === "string" ? user.id : null };
}

/**
 * Returns the reply to a keep-alive, or the empty string if it needs none; undefined for any other
 * message.
 */
export function answerPing(text: string, scope: Scope): string | undefined {
  const ping = parsePing(text);
  if (ping === undefined) return undefined;
  return ping.id === undefined ? "" : encodeReply(ping.id, pong(ping, scope));
}

/** Returns the frame that tells a client about a gap of the layer. */
export function encodeGap({ since, until }: LayerGap): string {
  const data: GapData = {
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
  };
  return encodeMessage("gap", data);
}

/** Returns the `id` of a frame, if it can be read. */
export function idOf(text: string): string | undefined {
  try {
    return parseClientFrame(text).id;
  } catch {
    return undefined;
  }
}
