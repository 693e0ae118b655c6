import { cutToBytes } from "../stored_message.ts";
import { storeUnavailable } from "../stream_error.ts";
import { rangeOf, type StreamRead } from "../stream_options.ts";
import type { StreamPage, StreamState } from "../stream_store.ts";
import {
  firstShown,
  type KvHead,
  type KvListed,
  type KvStream,
  type KvVersionedHead,
} from "./kv_stream.ts";
import { mustTrim, trimStep } from "./kv_trim.ts";

/** Messages per list of a read, so that a read of large messages needs little memory. */
const LISTED_AT_ONCE = 100;

/** Most steps of one call: 64 messages each. */
const MAX_STEPS = 100;

/** Attempts to read a stream that other processes trim or clear at the same time. */
const MAX_ATTEMPTS = 10;

/**
 * Removes messages beyond the limits or before an offset, and returns the extent of the stream.
 *
 * @param isIncomplete Whether messages were missing in an attempt to read: the database removes old ones
 * by itself.
 */
export async function settleKvStream(
  stream: KvStream,
  options: { before?: number; isIncomplete?: boolean } = {},
): Promise<StreamState> {
  return stateOf(await settleHead(stream, options));
}

async function settleHead(
  stream: KvStream,
  { before = 0, isIncomplete = false }: { before?: number; isIncomplete?: boolean },
): Promise<KvHead> {
  let known = await stream.open();
  if (isIncomplete) known = await removeSome(stream, known, before);
  for (let step = 0; step < MAX_STEPS && mustTrim(stream, known.head, before); step++) {
    known = await removeSome(stream, known, before);
  }
  // Appends store what they drop. A read finds more only after the limits were changed.
  while (known.head.shown !== firstShown(known.head, stream.settings)) {
    known = await removeSome(stream, known, before);
  }
  return known.head;
}

function stateOf({ epoch, shown, offset, earlier }: KvHead): StreamState {
  return { epoch, first: shown!, offset, earlier };
}

/** Reads messages. */
export async function readKvStream(stream: KvStream, read: StreamRead): Promise<StreamPage> {
  for (let attempt = 0;; attempt++) {
    const head = await settleHead(stream, { isIncomplete: attempt > 0 });
    const page = await readPage(stream, read, head);
    // Messages that were removed since the head was read are missing at the beginning.
    if (page !== undefined) return page;
    if (attempt === MAX_ATTEMPTS) throw storeUnavailable();
  }
}

async function readPage(
  stream: KvStream,
  read: StreamRead,
  head: KvHead,
): Promise<StreamPage | undefined> {
  const state = stateOf(head);
  const range = rangeOf(read, state);
  const isForward = read.after !== undefined;
  const listed = await listUpTo(stream, head, { ...range, isForward }, read.maxBytes);
  const isWhole = range.from > range.to ||
    (isForward ? listed[0]?.offset === range.from : listed.at(-1)?.offset === range.to);
  if (!isWhole) return undefined;
  const page = cutToBytes(listed, read.maxBytes, isForward ? "start" : "end");
  const [oldest, newest] = [page[0]?.offset ?? range.from, page.at(-1)?.offset ?? range.to];
  const more = isForward ? newest < state.offset : oldest > state.first;
  return { ...state, messages: page.map(({ message }) => message()), more };
}

async function listUpTo(
  stream: KvStream,
  head: KvHead,
  { from, to, isForward }: { from: number; to: number; isForward: boolean },
  maxBytes: number,
): Promise<readonly KvListed[]> {
  const listed: KvListed[] = [];
  let bytes = 0;
  let [start, end] = [from, to];
  while (start <= end && bytes <= maxBytes) {
    const limit = Math.min(LISTED_AT_ONCE, end - start + 1);
    const some = await stream.list(head, { from: start, to: end }, { limit, reverse: !isForward });
    for (const message of some) bytes += message.bytes;
    listed.push(...some);
    if (some.length < limit) break;
    if (isForward) start += limit;
    else end -= limit;
  }
  return isForward ? listed : listed.reverse();
}

async function removeSome(
  stream: KvStream,
  { head, version }: KvVersionedHead,
  before: number,
): Promise<KvVersionedHead> {
  const step = await trimStep(stream, head, { before });
  const key = stream.headKey;
  const operation = stream.kv.atomic().check({ key, version });
  const next = { ...step.head, shown: firstShown(step.head, stream.settings) };
  operation.set(key, next, stream.headExpiry);
  for (const offset of step.removed) operation.delete(stream.messageKey(head, offset));
  const commit = await operation.commit({ home: head.home });
  return commit.ok ? { head: next, version: commit.version } : await stream.open();
}
