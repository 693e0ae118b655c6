import { Refusal } from "./protocol/mod.ts";
import { type Clock, systemClock } from "./scope.ts";

/** A request, or the scope of one: headers, and a body that has not been read. */
export interface BodySource {
  readonly headers: Headers;
  readonly body?: ReadableStream<Uint8Array> | null | undefined;
}

/** Limits of {@linkcode readBody}. */
export interface ReadBodyOptions {
  /** Largest body, in bytes. @default {4096} */
  readonly maxBytes?: number;
  /** How long the whole body may take to arrive, in milliseconds. @default {30_000} */
  readonly timeoutMs?: number;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/**
 * How long a connection stays open after its body was refused, in milliseconds: a connection that is
 * closed at once can lose the answer.
 */
const LINGER_MS = 1_000;

/** Most connections that stay open so: each has up to 200 kB of a body in memory. */
const MAX_LINGERING = 16;

/** Size of the first buffer, in bytes. */
const FIRST_BYTES = 1024;

/**
 * Reads the body of a request, with a limit of bytes and of time. Returns no bytes if there is no body.
 *
 * This is the only way to read a request body: `request.text()`, `json()` and the like have no limit.
 * Past a limit nothing more is read, and the connection closes within a second. Deno shows no body of a
 * `GET` or `HEAD`, and discards it.
 *
 * @throws {Refusal} `BODY_TOO_LARGE` (413): the body has more than `maxBytes`, with or without a
 * `Content-Length`. At most `maxBytes` and one chunk of the network are in memory.
 * @throws {Refusal} `BODY_TIMEOUT` (408): the body did not arrive within `timeoutMs`.
 * @throws {Refusal} `BODY_INCOMPLETE` (400): the client left, or the body is malformed.
 *
 * @example
 * ```ts
 * import { readBody } from "@sluice/sluice/server";
 * import assert from "node:assert/strict";
 *
 * const request = new Request("http://127.0.0.1/", { method: "POST", body: '{"text":"Hello"}' });
 * const { text } = JSON.parse(new TextDecoder().decode(await readBody(request)));
 * assert.equal(text, "Hello");
 * ```
 */
export async function readBody(
  { headers, body }: BodySource,
  options: ReadBodyOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { maxBytes = 4096, timeoutMs = 30_000, clock = systemClock } = options;
  const isTooLarge = Number(headers.get("content-length")) > maxBytes;
  if (!body && isTooLarge) throw tooLarge(maxBytes);
  if (!body) return new Uint8Array();
  const reader = body.getReader();
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(timeoutMs, () => late.reject(new Refusal("BODY_TIMEOUT")));
  try {
    if (isTooLarge) throw tooLarge(maxBytes);
    return await Promise.race([readAll(reader, maxBytes), late.promise]);
  } catch (error) {
    if (!(error instanceof Refusal)) throw new Refusal("BODY_INCOMPLETE", { cause: error });
    cancelLater(reader, clock);
    throw error;
  } finally {
    cancel();
  }
}

/**
 * Leaves the body of a request unread and closes the connection after the answer. Has no effect if there
 * is no body, or if it was read.
 *
 * Without it Deno reads and discards whatever the client still sends after the answer.
 */
export function leaveBody({ body }: Pick<BodySource, "body">): void {
  if (body && !body.locked) cancelLater(body.getReader(), systemClock);
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** Copies each chunk at once: a body of a million chunks of one byte takes no more than another. */
async function readAll(reader: Reader, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array(Math.min(FIRST_BYTES, maxBytes));
  let size = 0;
  while (true) {
    const { done, value } = await reader.read();
    if (done) return bytes.subarray(0, size);
    const needed = size + value.length;
    if (needed > maxBytes) throw tooLarge(maxBytes);
    if (needed > bytes.length) {
      const larger = new Uint8Array(Math.min(maxBytes, Math.max(needed, 2 * bytes.length)));
      larger.set(bytes);
      bytes = larger;
    }
    bytes.set(value, size);
    size = needed;
  }
}

/** How to close the connections that are still open, the oldest first. */
const lingering = new Set<() => void>();

/**
 * Cancels a body after the answer was sent, which closes the connection. Cancelled before the answer, Deno
 * would keep the connection and discard the rest of the body.
 */
function cancelLater(reader: Reader, clock: Clock): void {
  const close = () => {
    stop();
    lingering.delete(close);
    reader.cancel().catch(() => {}); // The client may have left.
  };
  const stop = clock.after(LINGER_MS, close);
  lingering.add(close);
  const [oldest] = lingering;
  if (lingering.size > MAX_LINGERING) oldest?.();
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal("BODY_TOO_LARGE", { detail: `The body is larger than ${maxBytes} bytes` });
}
