import type { KvHead, KvListed, KvStream } from "./kv_stream.ts";

/** How many messages one step removes. Work is bounded: a step reads one more than that. */
const REMOVED_AT_ONCE = 64;

/** Messages beyond the limit that are stored but not shown, so that not every append removes one. */
const SLACK = 32;

/** The result of a step: the new head, and the offsets of the messages to delete. */
export interface TrimStep {
  readonly head: KvHead;
  readonly removed: readonly number[];
}

/** Whether messages of a stream exceed its limits by so much that they are removed now. */
export function mustTrim({ settings }: KvStream, head: KvHead, before = 0): boolean {
  const count = head.offset - head.first + 1;
  if (count <= 0) return false;
  if (count > settings.maxMessages + SLACK || head.first < before) return true;
  if (head.firstAt <= settings.clock.now() - settings.maxAgeMs) return true;
  return count > 1 && head.total - head.base > settings.maxBytes;
}

/**
 * Finds up to 64 messages that are beyond the limits of `head`, or older than the offset `before`.
 *
 * @param stored The head of the messages that are already stored; others follow in the same operation.
 */
export async function trimStep(
  stream: KvStream,
  head: KvHead,
  { stored = head, before = 0 }: { stored?: KvHead; before?: number } = {},
): Promise<TrimStep> {
  const range = { from: head.first, to: stored.offset };
  const isEmpty = range.from > range.to;
  const oldest = isEmpty ? [] : await stream.list(head, range, { limit: REMOVED_AT_ONCE + 1 });
  const isOver = createRule(stream, head, before);
  const kept = oldest.findIndex((message, index) => index === REMOVED_AT_ONCE || !isOver(message));
  const removed = kept < 0 ? oldest : oldest.slice(0, kept);
  const next = kept < 0 ? undefined : oldest[kept];
  return { head: moveFirst(head, next, stored), removed: removed.map(({ offset }) => offset) };
}

function createRule(
  { settings }: KvStream,
  { shown = 0, offset: newest, total: end }: KvHead,
  before: number,
): (message: KvListed) => boolean {
  const { clock, maxAgeMs, maxMessages, maxBytes } = settings;
  const oldestAt = clock.now() - maxAgeMs;
  const oldest = Math.max(before, shown, newest - maxMessages + 1);
  return ({ offset, at, total, bytes }) => {
    if (offset < oldest || at <= oldestAt) return true;
    return offset < newest && end - (total - bytes) > maxBytes;
  };
}

/** Returns the head with another first message; without one, only those that follow are left. */
function moveFirst(head: KvHead, first: KvListed | undefined, stored: KvHead): KvHead {
  if (first !== undefined) {
    const { offset, at, total, bytes } = first;
    return { ...head, first: offset, firstAt: at, base: total - bytes };
  }
  return { ...head, first: stored.offset + 1, base: stored.total, firstAt: 0 };
}
