import type { ProducerWrite } from "./durable_log.ts";

/** The answer to a request that cannot be served. */
export class DurableRefusal extends Error {
  override readonly name = "DurableRefusal";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/** Longest id of a producer. */
const MAX_PRODUCER_LENGTH = 256;

/** Longest `Content-Type` and `Stream-Seq`, which are stored with the stream. */
const MAX_HEADER_LENGTH = 256;

/** Most messages of one body: they are stored by one operation. */
const MAX_MESSAGES = 400;

/** Returns the media type of a content type, in lower case. */
export function mediaType(contentType: string): string {
  return contentType.split(";")[0]!.trim().toLowerCase();
}

/** Whether a header asks to close the stream. */
export function asksToClose(headers: Headers): boolean {
  return headers.get("stream-closed")?.toLowerCase() === "true";
}

/** Reads the lifetime of a new stream. @throws {DurableRefusal} 400. */
export function readLifetime(headers: Headers) {
  const ttl = headers.get("stream-ttl");
  const expiresAt = headers.get("stream-expires-at") ?? undefined;
  if (ttl !== null && expiresAt !== undefined) {
    throw new DurableRefusal(400, "Stream-TTL and Stream-Expires-At exclude each other");
  }
  const ttlSeconds = ttl === null ? undefined : toInteger("Stream-TTL", ttl);
  const isTime = expiresAt === undefined ||
    (/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d/.test(expiresAt) && !Number.isNaN(Date.parse(expiresAt)));
  if (!isTime) throw new DurableRefusal(400, "Stream-Expires-At is not a time (RFC 3339)");
  return { ttlSeconds, expiresAt };
}

/** Reads a header that is stored with the stream. @throws {DurableRefusal} 400. */
export function readStored(headers: Headers, name: string): string | undefined {
  const value = headers.get(name) ?? undefined;
  if (value === undefined || value.length <= MAX_HEADER_LENGTH) return value;
  throw new DurableRefusal(400, `${name} has more than ${MAX_HEADER_LENGTH} characters`);
}

/** Reads the producer of a write. @throws {DurableRefusal} 400. */
export function readProducer(headers: Headers): ProducerWrite | undefined {
  const [id, epoch, seq] = ["producer-id", "producer-epoch", "producer-seq"].map((name) =>
    headers.get(name)
  );
  if (id === null && epoch === null && seq === null) return undefined;
  if (id == null || epoch == null || seq == null) {
    throw new DurableRefusal(400, "Producer-Id, Producer-Epoch and Producer-Seq belong together");
  }
  if (id === "" || id.length > MAX_PRODUCER_LENGTH) {
    throw new DurableRefusal(400, `Producer-Id has 1 to ${MAX_PRODUCER_LENGTH} characters`);
  }
  return {
    id,
    epoch: toInteger("Producer-Epoch", epoch),
    seq: toInteger("Producer-Seq", seq),
  };
}

/**
 * Returns the messages of a body: those of a JSON array, flattened once, or the bytes.
 *
 * @throws {DurableRefusal} 400: the body is not JSON. 413: it has too many messages.
 */
export function readMessages(contentType: string, body: Uint8Array): Uint8Array[] {
  if (body.length === 0) return [];
  if (mediaType(contentType) !== "application/json") return [body];
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch {
    throw new DurableRefusal(400, "The body is not JSON");
  }
  const messages = Array.isArray(value) ? value : [value];
  if (messages.length > MAX_MESSAGES) {
    throw new DurableRefusal(413, `A body has at most ${MAX_MESSAGES} messages`);
  }
  return messages.map((message) => encoder.encode(JSON.stringify(message)));
}

function toInteger(name: string, text: string): number {
  const value = Number(text);
  if (/^(0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new DurableRefusal(400, `${name} is not a non-negative integer`);
}
