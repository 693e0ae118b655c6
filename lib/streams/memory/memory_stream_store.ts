import { attempt } from "../../core/promises.ts";
import type { LayerMessage } from "../../core/consumer.ts";
import { assertGroupName } from "../../layers/input.ts";
import { ExpiringMap } from "./expiring_map.ts";
import { MemoryClaims } from "./memory_claims.ts";
import { MemoryStream } from "./memory_stream.ts";
import { checkMessage, checkReply } from "../stored_message.ts";
import { storeClosed } from "../stream_error.ts";
import {
  assertKey,
  streamRead,
  type StreamSettings,
  streamSettings,
  type StreamStoreOptions,
} from "../stream_options.ts";
import type {
  Appended,
  AppendOptions,
  Claim,
  StreamPage,
  StreamReadOptions,
  StreamState,
  StreamStore,
} from "../stream_store.ts";

/** Options of {@linkcode MemoryStreamStore}. */
export interface MemoryStreamStoreOptions extends StreamStoreOptions {
  /** Maximum number of streams; the least recently used one is dropped. @default {10_000} */
  readonly maxStreams?: number;
  /** Maximum size of all streams, in bytes of JSON. @default {268_435_456}: 256 MiB */
  readonly maxTotalBytes?: number;
  /** Maximum number of keys at a time; more are refused. @default {100_000} */
  readonly maxKeys?: number;
}

/**
 * Keeps streams in the memory of one process: they end with it.
 *
 * @example
 * ```ts
 * import { MemoryStreamStore } from "@sluice/sluice/streams";
 * import assert from "node:assert/strict";
 *
 * const store = new MemoryStreamStore({ maxMessages: 100 });
 * const { offset } = await store.append("news", { type: "said", data: "Hello" });
 * const { messages } = await store.read("news", { after: 0 });
 * assert.equal(offset, 1);
 * assert.equal(messages[0]?.data, "Hello");
 * ```
 */
export class MemoryStreamStore implements StreamStore {
  readonly #settings: StreamSettings;
  readonly #maxStreams: number;
  readonly #maxTotalBytes: number;
  readonly #claims: MemoryClaims;
  readonly #keys: ExpiringMap<Omit<Appended, "isRepeated">>;
  /** The least recently used stream first. */
  readonly #streams = new Map<string, MemoryStream>();
  #bytes = 0;
  #isClosed = false;

  /**
   * Creates an empty store.
   *
   * @throws {RangeError} A number is out of range.
   */
  constructor(options: MemoryStreamStoreOptions = {}) {
    const { clock, keyWindowMs } = this.#settings = streamSettings(options);
    const { maxStreams = 10_000, maxTotalBytes = 256 * 2 ** 20, maxKeys = 100_000 } = options;
    if (!(maxStreams >= 1 && maxTotalBytes >= 1 && maxKeys >= 1)) {
      throw new RangeError("maxStreams, maxTotalBytes and maxKeys must be at least 1");
    }
    this.#maxStreams = maxStreams;
    this.#maxTotalBytes = maxTotalBytes;
    this.#claims = new MemoryClaims(clock, keyWindowMs, maxKeys);
    this.#keys = new ExpiringMap(clock, keyWindowMs, maxKeys);
  }

  /** Returns the extent of a stream. */
  state(stream: string): Promise<StreamState> {
    return this.#run(() => this.#use(stream, (found) => found.state));
  }

  /** Stores a message at the end of a stream. */
  append(stream: string, message: LayerMessage, options: AppendOptions = {}): Promise<Appended> {
    return this.#run(() => this.#append(stream, message, options));
  }

  /** Reads messages of a stream. */
  read(stream: string, options: StreamReadOptions = {}): Promise<StreamPage> {
    return this.#run(() => {
      const read = streamRead(options);
      return this.#use(stream, (found) => found.read(read));
    });
  }

  /** Returns the outcome of the append with a key. */
  find(stream: string, key: string): Promise<Appended | undefined> {
    return this.#run(() => this.#repeated(stream, key));
  }

  /** Deletes all messages with a smaller offset than `before`. */
  trim(stream: string, before: number): Promise<void> {
    return this.#run(() => this.#use(stream, (found) => found.trim(before)));
  }

  /** Deletes all messages and begins a new epoch. */
  clear(stream: string): Promise<void> {
    return this.#run(() => {
      assertGroupName(stream);
      this.#drop(stream);
    });
  }

  /** Claims a command before it runs. */
  claim(key: string): Promise<Claim> {
    return this.#run(() => {
      assertKey(key);
      return this.#claims.claim(key);
    });
  }

  /** Extends a claim. */
  renew(key: string, token: string): Promise<boolean> {
    return this.#run(() => this.#claims.renew(key, token));
  }

  /** Stores the outcome of a claimed command. */
  settle(key: string, token: string, outcome: unknown): Promise<boolean> {
    return this.#run(() => {
      const checked = checkReply(outcome, this.#settings.maxMessageBytes);
      return this.#claims.settle(key, token, checked);
    });
  }

  /** Gives up a claim. */
  release(key: string, token: string): Promise<void> {
    return this.#run(() => this.#claims.release(key, token));
  }

  /** Drops all streams. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#streams.clear();
    return Promise.resolve();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #append(stream: string, message: LayerMessage, { key, reply }: AppendOptions): Appended {
    assertGroupName(stream);
    const { maxMessageBytes } = this.#settings;
    const checked = checkMessage(message, maxMessageBytes);
    const kept = checkReply(reply, maxMessageBytes);
    if (key === undefined) {
      const position = this.#use(stream, (found) => found.append(checked));
      return { ...position, isRepeated: false, reply: kept };
    }
    assertKey(key);
    const repeated = this.#repeated(stream, key);
    if (repeated !== undefined) return repeated;
    this.#keys.assertRoom();
    const position = this.#use(stream, (found) => found.append(checked));
    this.#keys.add(`${stream} ${key}`, { ...position, reply: kept });
    return { ...position, isRepeated: false, reply: kept };
  }

  #repeated(stream: string, key: string): Appended | undefined {
    const known = this.#keys.get(`${stream} ${key}`);
    return known && { ...known, isRepeated: true };
  }

  /** Uses a stream, which becomes the most recently used one, and keeps the limits of the store. */
  #use<T>(name: string, use: (stream: MemoryStream) => T): T {
    assertGroupName(name);
    const stream = this.#streams.get(name) ?? new MemoryStream(this.#settings);
    this.#streams.delete(name);
    this.#streams.set(name, stream);
    const before = stream.bytes;
    const result = use(stream);
    this.#bytes += stream.bytes - before;
    for (const [oldest] of this.#streams) {
      const isFull = this.#streams.size > this.#maxStreams || this.#bytes > this.#maxTotalBytes;
      if (!isFull || oldest === name) break;
      this.#drop(oldest);
    }
    return result;
  }

  #drop(name: string): void {
    this.#bytes -= this.#streams.get(name)?.bytes ?? 0;
    this.#streams.delete(name);
  }

  #run<T>(work: () => T): Promise<T> {
    return attempt(() => {
      if (this.#isClosed) throw storeClosed();
      return work();
    });
  }
}
