import type { KvEntry } from "../../kv/key_value.ts";
import type { DurableHead, DurableLog, ProducerWrite } from "./durable_log.ts";
import { tokenOf } from "./durable_reader.ts";
import {
  asksToClose,
  DurableRefusal,
  mediaType,
  readMessages,
  readProducer,
  readStored,
} from "./durable_request.ts";

/** Attempts while other processes write to the stream. */
const MAX_ATTEMPTS = 50;

/** Answers an append: also one that closes the stream, or only that. */
export async function appendDurable(
  log: DurableLog,
  headers: Headers,
  body: Uint8Array,
): Promise<Response> {
  const producer = readProducer(headers);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const entry = await log.head();
    if (entry === undefined) throw new DurableRefusal(404, "There is no such stream");
    const response = await tryAppend(log, entry, headers, body, producer);
    if (response !== undefined) return response;
  }
  throw new DurableRefusal(503, "Too many writers: try again");
}

/** Returns undefined if the stream was changed meanwhile. */
async function tryAppend(
  log: DurableLog,
  entry: KvEntry<DurableHead>,
  headers: Headers,
  body: Uint8Array,
  producer: ProducerWrite | undefined,
): Promise<Response | undefined> {
  const head = entry.value;
  const isClosing = asksToClose(headers);
  const contentType = headers.get("content-type");
  const isEmpty = body.length === 0;
  if (isEmpty && !isClosing) throw new DurableRefusal(400, "The body is empty");
  if (!isEmpty && contentType === null) throw new DurableRefusal(400, "There is no Content-Type");
  if (head.isClosed) return answerClosed(head, { isClosing, isEmpty, producer });
  if (!isEmpty && mediaType(contentType!) !== mediaType(head.contentType)) {
    throw new DurableRefusal(409, `The Content-Type of the stream is ${head.contentType}`);
  }
  const repeated = producer && await checkProducer(log, head, producer);
  if (repeated !== undefined) return repeated;
  const messages = readMessages(head.contentType, body);
  if (!isEmpty && messages.length === 0) throw new DurableRefusal(400, "The array is empty");
  const seq = readStored(headers, "Stream-Seq");
  if (seq !== undefined && head.seq !== undefined && seq <= head.seq) {
    throw new DurableRefusal(409, "Stream-Seq does not increase");
  }
  if (!await log.append(entry, { messages, isClosing, seq, producer })) return undefined;
  const size = messages.reduce((sum, { length }) => sum + length, 0);
  // New data of a producer is 200; closing alone adds none.
  const status = producer === undefined || isEmpty ? 204 : 200;
  return answer(status, head.end + size, isClosing, producer);
}

function answerClosed(
  head: DurableHead,
  { isClosing, isEmpty, producer }: {
    isClosing: boolean;
    isEmpty: boolean;
    producer: ProducerWrite | undefined;
  },
): Response {
  const { closedBy, end } = head;
  const isRepeated = producer !== undefined && closedBy?.id === producer.id &&
    closedBy.epoch === producer.epoch && closedBy.seq === producer.seq;
  if (isRepeated) return answer(204, end, true, producer);
  if (isClosing && isEmpty && producer === undefined) return answer(204, end, true);
  throw new DurableRefusal(409, "The stream is closed", {
    "stream-closed": "true",
    "stream-next-offset": tokenOf(end),
  });
}

/** Returns the answer to a repetition. @throws {DurableRefusal} 400, 403 or 409. */
async function checkProducer(
  log: DurableLog,
  head: DurableHead,
  write: ProducerWrite,
): Promise<Response | undefined> {
  const state = await log.producer(head, write.id);
  if (state !== undefined && write.epoch < state.epoch) {
    throw new DurableRefusal(403, "The epoch is over", { "producer-epoch": String(state.epoch) });
  }
  const isNew = state === undefined || write.epoch > state.epoch;
  if (isNew && write.seq === 0) return undefined;
  if (isNew && state !== undefined) {
    throw new DurableRefusal(400, "A new epoch begins with Producer-Seq 0");
  }
  const last = state?.seq ?? -1;
  if (write.seq <= last) return answer(204, head.end, false, { ...write, seq: last });
  if (write.seq === last + 1) return undefined;
  throw new DurableRefusal(409, "Writes of the producer are missing", {
    "producer-expected-seq": String(last + 1),
    "producer-received-seq": String(write.seq),
  });
}

function answer(
  status: number,
  end: number,
  isClosed: boolean,
  producer?: ProducerWrite,
): Response {
  const headers: Record<string, string> = { "stream-next-offset": tokenOf(end) };
  if (isClosed) headers["stream-closed"] = "true";
  if (producer !== undefined) {
    headers["producer-epoch"] = String(producer.epoch);
    headers["producer-seq"] = String(producer.seq);
  }
  return new Response(null, { status, headers });
}
