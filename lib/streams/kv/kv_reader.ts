import { cutToBytes } from "../stored_message.ts";
import { storeUnavailable } from "../stream_error.ts";
import { rangeOf, type StreamRead } from "../stream_options.ts";
import type { StreamPage, StreamState } from "../stream_store.ts";
import type { KvHead, KvListed, KvStream, KvVersionedHead } from "./kv_stream.ts";
import { mustTrim, trimStep } from "./kv_trim.ts";

/** Messages per list of a read, so that a read of large messages needs little memory. */
const LISTED_AT_ONCE = 100;

/** Most steps of one call: 64 messages each. */
const MAX_STEPS = 100;

/** Attempts to read a stream that other processes trim or clear at the same time. */
const MAX_ATTEMPTS = 10;

/** Removes messages beyond the limits or before an offset, and returns the extent of the stream. */
export async function settleKvStream(stream: KvStream, before = 0): Promise<StreamState> {
  let known = await stream.open();
  for (let step = 0; step < MAX_STEPS && mustTrim(stream, known.head, before); step++) {
    known = await removeSome(stream, known, before);
  }
  return stateOf(stream, known.head);
}

/** Reads messages. */
export async function readKvStream(stream: KvStream, read: StreamRead): Promise<StreamPage> {
  for (let attempt = 0;; attempt++) {
    const state = await settleKvStream(stream);
    const page = await readPage(stream, read, state);
    // Messages that were removed since the head was read are missing at the beginning.
    if (page !== undefined) return page;
    if (attempt === MAX_ATTEMPTS) throw storeUnavailable();
  }
}

async function readPage(
  stream: KvStream,
  read: StreamRead,
  state: StreamState,
): Promise<StreamPage | undefined> {
  const range = rangeOf(read, state);
  const isForward = read.after !== undefined;
  const listed = await listUpTo(stream, state.epoch, { ...range, isForward }, read.maxBytes);
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
  epoch: string,
  { from, to, isForward }: { from: number; to: number; isForward: boolean },
  maxBytes: number,
): Promise<readonly KvListed[]> {
  const listed: KvListed[] = [];
  let bytes = 0;
  let [start, end] = [from, to];
  while (start <= end && bytes <= maxBytes) {
    const limit = Math.min(LISTED_AT_ONCE, end - start + 1);
    const some = await stream.list(epoch, { from: start, to: end }, { limit, reverse: !isForward });
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
  operation.set(key, step.head, stream.headExpiry);
  for (const offset of step.removed) operation.delete(stream.messageKey(head.epoch, offset));
  const commit = await operation.commit();
  return commit.ok ? { head: step.head, version: commit.version } : await stream.open();
}

/** Messages beyond the number that a stream keeps are stored a little longer, but not shown. */
function stateOf({ settings }: KvStream, { epoch, first, offset }: KvHead): StreamState {
  return { epoch, first: Math.max(first, offset - settings.maxMessages + 1), offset };
}
