import type { LayerMessage } from "../../core/consumer.ts";
import { type KeyValue, KeyValueError } from "../../kv/mod.ts";
import { assertGroupName, assertLayerPrefix } from "../../layers/input.ts";
import { checkMessage, checkReply } from "../stored_message.ts";
import { storeClosed, storeUnavailable } from "../stream_error.ts";
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
import { KvClaims } from "./kv_claims.ts";
import { readKvStream, settleKvStream } from "./kv_reader.ts";
import { KvStream, newHead } from "./kv_stream.ts";
import { KvWriter } from "./kv_writer.ts";

/** Options of {@linkcode KvStreamStore}. */
export interface KvStreamStoreOptions extends StreamStoreOptions {
  /**
   * Separates this store from others in the same database: the first part of its keys is
   * `streams.PREFIX`. Without it, the first part is `streams`.
   */
  readonly prefix?: string;
}

/** Most streams whose heads are remembered, so that an append needs no read. */
const MAX_WRITERS = 1_000;

/**
 * Keeps streams in a {@linkcode KeyValue} database: Deno KV, SQLite, PostgreSQL or memory. All processes
 * that share the database share the streams.
 *
 * A message, its key and its reply are stored in one atomic operation. What is stored when `append()`
 * resolves is as durable as a commit of the database.
 *
 * @example
 * ```ts
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 * import { KvStreamStore } from "@sluice/sluice/streams";
 * import assert from "node:assert/strict";
 *
 * const store = new KvStreamStore(new MemoryKeyValue());
 * const first = await store.append("news", { type: "said", data: "Hello" }, { key: "a" });
 * const again = await store.append("news", { type: "said", data: "Hello" }, { key: "a" });
 * assert.equal(again.isRepeated, true);
 * assert.equal(again.offset, first.offset);
 * ```
 */
export class KvStreamStore implements StreamStore {
  readonly #kv: KeyValue;
  readonly #prefix: string;
  readonly #settings: StreamSettings;
  readonly #claims: KvClaims;
  /** The least recently used one first. */
  readonly #writers = new Map<string, KvWriter>();
  #isClosed = false;

  /**
   * Creates a store over a database.
   *
   * @throws {RangeError} A number is out of range.
   * @throws {TypeError} The prefix is invalid.
   */
  constructor(kv: KeyValue, options: KvStreamStoreOptions = {}) {
    const { prefix } = options;
    if (prefix !== undefined) assertLayerPrefix(prefix);
    this.#kv = kv;
    this.#prefix = prefix === undefined ? "streams" : `streams.${prefix}`;
    this.#settings = streamSettings(options);
    this.#claims = new KvClaims(kv, this.#prefix, this.#settings);
  }

  /** Returns the extent of a stream. */
  state(stream: string): Promise<StreamState> {
    return this.#run(stream, (found) => settleKvStream(found));
  }

  /** Stores a message at the end of a stream. */
  append(stream: string, message: LayerMessage, options: AppendOptions = {}): Promise<Appended> {
    return this.#run(stream, (found) => {
      const { key, reply } = options;
      const { maxMessageBytes } = this.#settings;
      if (key !== undefined) assertKey(key);
      const checked = checkMessage(message, maxMessageBytes);
      const writer = this.#writerOf(stream, found);
      return writer.append({ checked, key, reply: checkReply(reply, maxMessageBytes) });
    });
  }

  /** Reads messages of a stream. */
  read(stream: string, options: StreamReadOptions = {}): Promise<StreamPage> {
    return this.#run(stream, (found) => readKvStream(found, streamRead(options)));
  }

  /** Returns the outcome of the append with a key. */
  find(stream: string, key: string): Promise<Appended | undefined> {
    return this.#run(stream, (found) => found.find(key));
  }

  /** Deletes all messages with a smaller offset than `before`. */
  trim(stream: string, before: number): Promise<void> {
    return this.#run(stream, async (found) => {
      await settleKvStream(found, { before });
    });
  }

  /** Deletes all messages and begins a new epoch. */
  clear(stream: string): Promise<void> {
    return this.#run(stream, async (found) => {
      const { head } = await found.head();
      await this.#kv.set(found.headKey, newHead(), found.headExpiry);
      await found.deleteAll(head);
    });
  }

  /** Claims a command before it runs. */
  claim(key: string): Promise<Claim> {
    return this.#guard(() => {
      assertKey(key);
      return this.#claims.claim(key);
    });
  }

  /** Extends a claim. */
  renew(key: string, token: string): Promise<boolean> {
    return this.#guard(() => this.#claims.renew(key, token));
  }

  /** Stores the outcome of a claimed command. */
  settle(key: string, token: string, outcome: unknown): Promise<boolean> {
    return this.#guard(() => {
      const checked = checkReply(outcome, this.#settings.maxMessageBytes);
      return this.#claims.settle(key, token, checked);
    });
  }

  /** Gives up a claim. */
  release(key: string, token: string): Promise<void> {
    return this.#guard(() => this.#claims.release(key, token));
  }

  /** Ends the use of the store. The database stays open. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#writers.clear();
    return Promise.resolve();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run<T>(name: string, work: (stream: KvStream) => Promise<T>): Promise<T> {
    return this.#guard(() => {
      assertGroupName(name);
      return work(new KvStream(this.#kv, this.#prefix, name, this.#settings));
    });
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw storeClosed();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof KeyValueError)) throw error;
      throw error.code === "CLOSED" ? storeClosed() : storeUnavailable(error);
    }
  }

  #writerOf(name: string, stream: KvStream): KvWriter {
    const writer = this.#writers.get(name) ?? new KvWriter(stream);
    this.#writers.delete(name);
    this.#writers.set(name, writer);
    for (const [oldest, { isBusy }] of this.#writers) {
      if (this.#writers.size <= MAX_WRITERS || isBusy) break;
      this.#writers.delete(oldest);
    }
    return writer;
  }
}
