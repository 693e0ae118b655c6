import { memoryUsage } from "node:process";
import { Refusal } from "../protocol/mod.ts";
import { type Clock, systemClock } from "./clock.ts";

/**
 * How long a connection stays open after its body was refused, in milliseconds. An immediate close can
 * lose the response.
 */
const LINGER_MS = 1_000;

/** Maximum number of such connections: each holds up to 200 kB of a body in memory. */
const MAX_LINGERING = 16;

/** How much memory the process may gain while the end of a chunked body is awaited, in bytes. */
const MAX_GROWTH = 16 * 2 ** 20;

/** How often that is checked, in milliseconds. */
const CHECK_MS = 50;

/** Size of the first buffer, in bytes. */
const FIRST_BYTES = 1024;

/**
 * Reads the body of a request, limited in size and time. Returns no bytes if there is no body.
 *
 * This is the only safe way to read a request body: `request.text()`, `json()` and the like have no
 * limit. Once a limit is exceeded, reading stops and the connection closes within a second. Deno
 * hides and discards the body of a `GET` or `HEAD`.
 *
 * @throws {Refusal} `BODY_TOO_LARGE` (413): the body exceeds `maxBytes`, with or without a
 *   `Content-Length`. At most `maxBytes` plus one network chunk are held in memory.
 * @throws {Refusal} `BODY_TIMEOUT` (408): the body did not arrive within `timeoutMs`.
 * @throws {Refusal} `BODY_INCOMPLETE` (400): the client disconnected or the body is malformed.
 *
 * *Security*: Deno buffers the trailers after a chunked body without a limit, and shows nothing of them.
 * If the process gains 16 MiB while such a body is awaited, the body counts as too large.
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
  { headers, body }: {
    readonly headers: Headers;
    readonly body?: ReadableStream<Uint8Array> | null | undefined;
  },
  options: {
    /** Largest body, in bytes. @default {4096} */
    readonly maxBytes?: number;
    /** Time limit for the whole body, in milliseconds. @default {30_000} */
    readonly timeoutMs?: number;
    /** @default {systemClock} */
    readonly clock?: Clock;
  } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { maxBytes = 4096, timeoutMs = 30_000, clock = systemClock } = options;
  const isTooLarge = Number(headers.get("content-length")) > maxBytes;
  if (!body && isTooLarge) throw tooLarge(maxBytes);
  if (!body) return new Uint8Array();
  const reader = body.getReader();
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(timeoutMs, () => late.reject(new Refusal("BODY_TIMEOUT")));
  const stopWatching = headers.has("content-length")
    ? () => {}
    : watchMemory(clock, () => late.reject(tooLarge(maxBytes)));
  // At once: between two trailers, a later cancellation does not close the connection.
  late.promise.catch(() => reader.cancel().catch(() => {}));
  try {
    if (isTooLarge) throw tooLarge(maxBytes);
    return await Promise.race([readAll(reader, maxBytes), late.promise]);
  } catch (error) {
    if (!(error instanceof Refusal)) throw new Refusal("BODY_INCOMPLETE", { cause: error });
    cancelLater(reader, clock);
    throw error;
  } finally {
    cancel();
    stopWatching();
  }
}

/** Calls back once if the process gains more memory than a body may take. Returns how to stop. */
function watchMemory(clock: Clock, onGrowth: () => void): () => void {
  const before = memoryUsage.rss();
  let stop = () => {};
  const check = () => {
    if (memoryUsage.rss() - before > MAX_GROWTH) onGrowth();
    else stop = clock.after(CHECK_MS, check);
  };
  stop = clock.after(CHECK_MS, check);
  return () => stop();
}

/**
 * Leaves a request body unread and closes the connection after the response. Has no effect if there is
 * no body or it was read.
 *
 * Otherwise Deno would read and discard everything that the client still sends.
 */
export function leaveBody(
  { body }: { readonly body?: ReadableStream<Uint8Array> | null | undefined },
): void {
  if (body && !body.locked) cancelLater(body.getReader(), systemClock);
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/**
 * Copies each chunk at once, so that a million one-byte chunks take no more memory than one large
 * chunk.
 */
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

/** Functions that close the connections still open, oldest first. */
const lingering = new Set<() => void>();

/**
 * Cancels a body after the response was sent, which closes the connection. If it is cancelled earlier,
 * Deno keeps the connection and discards the rest of the body.
 */
function cancelLater(reader: Reader, clock: Clock): void {
  const close = () => {
    stop();
    lingering.delete(close);
    reader.cancel().catch(() => {}); // The client may have disconnected.
  };
  const stop = clock.after(LINGER_MS, close);
  lingering.add(close);
  const [oldest] = lingering;
  if (lingering.size > MAX_LINGERING) oldest?.();
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal("BODY_TOO_LARGE", { detail: `The body is larger than ${maxBytes} bytes` });
}
