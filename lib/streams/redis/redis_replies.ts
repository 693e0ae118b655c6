import type { RedisReply } from "../../redis/redis_connection.ts";
import { restoreMessage } from "../stored_message.ts";
import type { Appended, StreamPage, StreamPosition } from "../stream_store.ts";

/** Reads what the script of an append returns. */
export function toAppended(found: readonly RedisReply[]): Appended {
  const [repeated, epoch, offset, reply] = found as readonly [number, string, string, string];
  return {
    epoch,
    offset: Number(offset),
    isRepeated: repeated === 1,
    reply: decodeReply(reply),
  };
}

/** Reads what the script of a read returns: the newest message first unless it is `isForward`. */
export function toPage(found: readonly RedisReply[], isForward: boolean): StreamPage {
  const [, epoch, first, offset, earlier, ...items] = found as readonly string[];
  const listed = toMessages(items);
  const messages = isForward ? listed : listed.reverse();
  const state = {
    epoch: epoch!,
    first: Number(first),
    offset: Number(offset),
    earlier: toPositions(earlier!),
  };
  const [oldest, newest] = [messages[0]?.offset, messages.at(-1)?.offset];
  const more = isForward
    ? (newest ?? state.offset) < state.offset
    : (oldest ?? state.first) > state.first;
  return { ...state, messages, more };
}

function toMessages(items: readonly string[]) {
  return Array.from({ length: items.length / 2 }, (_, index) => {
    const [offset, item] = [items[2 * index]!, items[2 * index + 1]!];
    const [at, total] = item.split(" ", 2) as [string, string];
    const text = item.slice(at.length + total.length + 2);
    return restoreMessage(text, Number(offset), Number(at));
  });
}

/** Reads the earlier epochs of a stream: `<epoch> <offset>`, and so on. */
function toPositions(text: string): readonly StreamPosition[] {
  return Array.from(text.matchAll(/(\S+) (\d+)/g), ([, epoch, offset]) => {
    return { epoch: epoch!, offset: Number(offset) };
  });
}

/** Encodes a reply for Redis; empty if there is none. */
export function encodeReply(reply: unknown): string {
  return reply === undefined ? "" : JSON.stringify(reply);
}

/** Decodes what {@linkcode encodeReply} encoded. */
export function decodeReply(text: string): unknown {
  return text === "" ? undefined : JSON.parse(text);
}
