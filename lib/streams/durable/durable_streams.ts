import { clearTimeout, setTimeout } from "node:timers";
import { type Clock, systemClock } from "../../core/clock.ts";
import { readBody } from "../../core/read_body.ts";
import { Refusal } from "../../protocol/refusal.ts";
import type { KeyValue } from "../../kv/key_value.ts";
import { KeyValueError } from "../../kv/key_value_error.ts";
import { type DurableHead, DurableLog } from "./durable_log.ts";
import { readDurable, tokenOf } from "./durable_reader.ts";
import {
  asksToClose,
  DurableRefusal,
  mediaType,
  readLifetime,
  readMessages,
  readStored,
} from "./durable_request.ts";
import { appendDurable } from "./durable_writer.ts";

/** Options of {@linkcode DurableStreams}. */
export interface DurableStreamsOptions {
  /** The first part of all keys in the database. @default {"durable"} */
  readonly prefix?: string;
  /** Largest body of a request, in bytes; at most 600,000. @default {600_000} */
  readonly maxBodyBytes?: number;
  /** How long a long-poll waits, in milliseconds. @default {20_000} */
  readonly longPollMs?: number;
  /** How long a response of server-sent events lasts, in milliseconds. @default {55_000} */
  readonly sseMs?: number;
  /** The clock of lifetimes. @default {systemClock} */
  readonly clock?: Clock;
}

/** How often a stream is looked at that another process may write, in milliseconds. */
const POLL_MS = 500;

/** The answer to a preflight request. It names no origin: an application decides about those. */
const PREFLIGHT = {
  "access-control-allow-methods": "GET, HEAD, PUT, POST, DELETE",
  "access-control-allow-headers": "Content-Type, If-None-Match, Stream-Seq, Stream-TTL, " +
    "Stream-Expires-At, Stream-Closed, Producer-Id, Producer-Epoch, Producer-Seq",
};

/** Longest name of a stream. */
const MAX_NAME_LENGTH = 500;

/**
 * Serves streams of an application by the whole Durable Streams protocol 1.0, without forks and
 * subscriptions: create, append, idempotent producers, read, close, delete, lifetimes.
 *
 * *Security*: it checks no permission. Decide first who may use which stream, and how.
 *
 * @example
 * ```ts
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 * import { DurableStreams } from "@sluice/sluice/streams";
 * import assert from "node:assert/strict";
 *
 * const streams = new DurableStreams(new MemoryKeyValue());
 * const send = (method: string, body?: string) =>
 *   streams.handle(
 *     new Request("http://127.0.0.1/logs/1", { method, body, headers: { "content-type": "text/plain" } }),
 *     "logs/1",
 *   );
 * assert.equal((await send("PUT")).status, 201);
 * assert.equal((await send("POST", "one ")).status, 204);
 * assert.equal((await send("POST", "two")).status, 204);
 * assert.equal(await (await send("GET")).text(), "one two");
 * ```
 */
export class DurableStreams {
  readonly #kv: KeyValue;
  readonly #options: Required<DurableStreamsOptions>;
  readonly #waiting = new Map<string, Set<() => void>>();
  /** The end of the line of writes to each stream. */
  readonly #writing = new Map<string, Promise<unknown>>();

  /**
   * Keeps the streams in a database.
   *
   * @throws {RangeError} `maxBodyBytes` is out of range.
   */
  constructor(kv: KeyValue, options: DurableStreamsOptions = {}) {
    const { maxBodyBytes = 600_000 } = options;
    if (!(maxBodyBytes > 0 && maxBodyBytes <= 600_000)) {
      throw new RangeError(`maxBodyBytes must be 1 to 600000, not ${maxBodyBytes}`);
    }
    this.#kv = kv;
    this.#options = {
      prefix: "durable",
      longPollMs: 20_000,
      sseMs: 55_000,
      clock: systemClock,
      ...options,
      maxBodyBytes,
    };
  }

  /** Answers a request for the stream with a name, such as the rest of the path. */
  async handle(request: Request, name: string): Promise<Response> {
    const response = await this.#answer(request, name);
    response.headers.set("x-content-type-options", "nosniff");
    response.headers.set("cross-origin-resource-policy", "cross-origin");
    if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-store");
    return response;
  }

  async #answer(request: Request, name: string): Promise<Response> {
    try {
      if (name === "" || name.length > MAX_NAME_LENGTH) throw new DurableRefusal(404, "No stream");
      const { clock, prefix } = this.#options;
      const log = new DurableLog(this.#kv, clock, prefix, name);
      return await this.#dispatch(request, name, log);
    } catch (error) {
      if (error instanceof DurableRefusal) {
        return new Response(`${error.message}\n`, { status: error.status, headers: error.headers });
      }
      if (error instanceof Refusal) {
        return new Response(`${error.detail}\n`, { status: error.status });
      }
      if (!(error instanceof KeyValueError)) throw error;
      return new Response("The database cannot be reached\n", { status: 503 });
    }
  }

  async #dispatch(request: Request, name: string, log: DurableLog): Promise<Response> {
    switch (request.method) {
      case "PUT":
        return await this.#inOrder(name, () => this.#create(request, log));
      case "POST": {
        const { maxBodyBytes: maxBytes } = this.#options;
        const body = await readBody(request, { maxBytes });
        return await this.#inOrder(name, () => appendDurable(log, request.headers, body));
      }
      case "DELETE":
        return await this.#inOrder(name, () => this.#delete(log));
      case "HEAD":
        return this.#describe(await this.#existing(log));
      case "GET":
        return await readDurable({
          log,
          request,
          url: new URL(request.url),
          longPollMs: this.#options.longPollMs,
          sseMs: this.#options.sseMs,
          changed: (ms) => this.#changed(name, ms),
        });
      case "OPTIONS":
        return new Response(null, { status: 204, headers: PREFLIGHT });
      default:
        throw new DurableRefusal(405, "The methods are GET, HEAD, PUT, POST and DELETE", {
          allow: "GET, HEAD, PUT, POST, DELETE",
        });
    }
  }

  async #create(request: Request, log: DurableLog): Promise<Response> {
    const { headers } = request;
    if (headers.has("stream-forked-from")) throw new DurableRefusal(501, "Forks are not supported");
    const contentType = readStored(headers, "Content-Type") ?? "application/octet-stream";
    const lifetime = readLifetime(headers);
    const body = await readBody(request, { maxBytes: this.#options.maxBodyBytes });
    const messages = readMessages(contentType, body);
    const isClosing = asksToClose(headers);
    const known = await log.head();
    if (known !== undefined) {
      const { value } = known;
      const isSame = mediaType(value.contentType) === mediaType(contentType) &&
        value.ttlSeconds === lifetime.ttlSeconds && value.expiresAt === lifetime.expiresAt &&
        value.isClosed === isClosing;
      if (!isSame) throw new DurableRefusal(409, "The stream exists, with another configuration");
      return this.#describe(value);
    }
    await log.create({ contentType, ...lifetime }, { messages, isClosing });
    const created = this.#describe(await this.#existing(log), 201);
    created.headers.set("location", request.url);
    return created;
  }

  async #delete(log: DurableLog): Promise<Response> {
    const entry = await log.head();
    if (entry === undefined) throw new DurableRefusal(404, "There is no such stream");
    await log.delete(entry);
    return new Response(null, { status: 204 });
  }

  async #existing(log: DurableLog): Promise<DurableHead> {
    const entry = await log.head();
    if (entry === undefined) throw new DurableRefusal(404, "There is no such stream");
    return entry.value;
  }

  #describe({ contentType, end, isClosed, ttlSeconds, expiresAt }: DurableHead, status = 200) {
    const headers = new Headers({
      "content-type": contentType,
      "stream-next-offset": tokenOf(end),
      "cache-control": "no-store",
    });
    if (isClosed) headers.set("stream-closed", "true");
    if (ttlSeconds !== undefined) headers.set("stream-ttl", String(ttlSeconds));
    if (expiresAt !== undefined) headers.set("stream-expires-at", expiresAt);
    return new Response(null, { status, headers });
  }

  /** Runs writes to one stream one after another, and wakes its readers. */
  async #inOrder(name: string, write: () => Promise<Response>): Promise<Response> {
    const before = this.#writing.get(name) ?? Promise.resolve();
    const mine = before.catch(() => {}).then(write);
    this.#writing.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#writing.get(name) === mine) this.#writing.delete(name);
      for (const wake of this.#waiting.get(name) ?? []) wake();
    }
  }

  #changed(name: string, ms: number): Promise<void> {
    const waiting = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiting);
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        waiting.delete(wake);
        if (waiting.size === 0) this.#waiting.delete(name);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(ms, POLL_MS));
      waiting.add(wake);
    });
  }
}
