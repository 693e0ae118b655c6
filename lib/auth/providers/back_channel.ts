import { type Clock, systemClock } from "../../core/clock.ts";

/** A function that works like the global `fetch`. */
export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

/** Options for requests to providers. */
export interface BackChannelOptions {
  /** Sends the requests. @default {fetch} */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Limit for one request, its body included, in milliseconds. @default {5_000} */
  readonly timeoutMs?: number;
  /** Tells the time. @default {systemClock} */
  readonly clock?: Clock;
}

const MAX_BODY_BYTES = 1_048_576;

/** Returns a `fetch` with a time limit and a body limit of 1 MiB. */
export function boundedFetch(options: BackChannelOptions = {}): FetchFunction {
  const { fetch = globalThis.fetch, timeoutMs = 5_000, clock = systemClock } = options;
  return async (url, init) => {
    const controller = new AbortController();
    const late = Promise.withResolvers<never>();
    const cancel = clock.after(timeoutMs, () => {
      const error = new DOMException(`No response within ${timeoutMs} ms`, "TimeoutError");
      late.reject(error);
      controller.abort(error);
    });
    try {
      const call = readWhole(fetch(url, { ...init, signal: controller.signal }));
      return await Promise.race([call, late.promise]);
    } finally {
      cancel();
    }
  };
}

async function readWhole(answer: Promise<Response>): Promise<Response> {
  const response = await answer;
  const { status, headers } = response;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) {
      throw new Error(`The response is larger than ${MAX_BODY_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  const body = status === 204 || status === 304 || status < 200 ? null : new Blob(chunks);
  return new Response(body, { status: Math.max(200, status), headers });
}

/**
 * Returns whether `url` is plain http, which is allowed on this machine only.
 *
 * @throws {RangeError} `url` is neither https nor http on a loopback address.
 */
export function isInsecure(url: URL): boolean {
  if (url.protocol === "https:") return false;
  if (url.protocol === "http:" && isLoopback(url.hostname)) return true;
  throw new RangeError(
    `A provider's address must be https, or http on this machine: ${url.origin}`,
  );
}

/** Returns whether a URL's `hostname` always means this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "127.0.0.1" || hostname === "localhost" || hostname === "[::1]";
}
