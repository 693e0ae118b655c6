import type { HistoryData, HistoryMessage, HistoryRequest } from "../protocol/frames.ts";
import type {
  StreamMessage,
  StreamPage,
  StreamPosition,
  StreamState,
  StreamStore,
} from "./stream_store.ts";

/**
 * Reads messages of a stream for a client that may have missed some: see `history` in the protocol.
 *
 * @param stream The name of the stream in the store.
 * @throws {RangeError} A number is out of range.
 * @throws {StreamError} `UNAVAILABLE` or `CLOSED`.
 */
export async function readHistory(
  store: StreamStore,
  stream: string,
  query: Omit<HistoryRequest, "stream">,
): Promise<HistoryData> {
  const { epoch, after, before, limit } = query;
  const page = await store.read(stream, { after, before, limit });
  const seen = after ?? Math.max(0, (before ?? 1) - 1);
  const isSame = epoch === undefined || isSharedHistory(page, { epoch, offset: seen });
  if (isSame && (after === undefined || after <= page.offset)) {
    return toHistory(page, after === undefined || after >= page.first - 1);
  }
  if (after === undefined) return toHistory(page, false);
  // The position is not one of this history: begin with the oldest message that the client cannot have.
  const shared = page.earlier?.find((known) => known.epoch === epoch)?.offset ?? 0;
  return toHistory(await store.read(stream, { after: shared, limit }), false);
}

/** Whether the messages of an epoch up to an offset are, or could be, those of this history. */
export function isSharedHistory(
  { epoch, earlier = [] }: StreamState,
  position: StreamPosition,
): boolean {
  if (position.epoch === epoch) return true;
  return earlier.some((known) => {
    return known.epoch === position.epoch && position.offset <= known.offset;
  });
}

function toHistory(page: StreamPage, recovered: boolean): HistoryData {
  const { epoch, first, offset, more } = page;
  return { epoch, first, offset, recovered, messages: page.messages.map(toMessage), more };
}

function toMessage({ type, data, offset }: StreamMessage): HistoryMessage {
  return { type, data, offset };
}
