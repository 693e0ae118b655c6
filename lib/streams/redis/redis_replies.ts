import type { RedisReply } from "../../redis/redis_connection.ts";
import { restoreMessage } from "../stored_message.ts";
import type { Appended } from "../stream_store.ts";

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

/** Reads messages as the script of a read returns them. */
export function toMessages(items: readonly string[]) {
  return Array.from({ length: items.length / 2 }, (_, index) => {
    const [offset, item] = [items[2 * index]!, items[2 * index + 1]!];
    const [at, total] = item.split(" ", 2) as [string, string];
    const text = item.slice(at.length + total.length + 2);
    return restoreMessage(text, Number(offset), Number(at));
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
