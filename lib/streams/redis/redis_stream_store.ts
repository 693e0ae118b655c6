import type { LayerMessage } from "../../core/consumer.ts";
import { assertGroupName, assertLayerPrefix } from "../../layers/input.ts";
import { ClusterClient } from "../../redis/cluster_client.ts";
import { RedisError } from "../../redis/errors.ts";
import { parseRedisUrl } from "../../redis/redis_address.ts";
import type { RedisConnection, RedisReply } from "../../redis/redis_connection.ts";
import type { RedisScript } from "../../redis/redis_script.ts";
import { checkMessage, checkReply } from "../stored_message.ts";
import { storeClosed, storeUnavailable } from "../stream_error.ts";
import {
  assertKey,
  CLAIM_MS,
  newEpoch,
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
import { decodeReply, encodeReply, toAppended, toPage } from "./redis_replies.ts";
import { RedisStreamKeys } from "./redis_stream_keys.ts";
import { STREAM_SCRIPTS } from "./stream_scripts.ts";

/** Options of {@linkcode RedisStreamStore}. */
export interface RedisStreamStoreOptions extends Omit<StreamStoreOptions, "clock"> {
  /** The first part of all names in Redis. @default {"sluice"} */
  readonly prefix?: string;
  /** Certificate authorities for `rediss://`, as PEM. */
  readonly ca?: string | undefined;
  /** Time limit of a call, in milliseconds. @default {2_000} */
  readonly timeoutMs?: number;
}

/** Most bytes sent to Redis without a reply. */
const MAX_PENDING_BYTES = 64 * 2 ** 20;

/** How long an idle stream is kept after its last message could be, in milliseconds. */
const GRACE_MS = 86_400_000;

/**
 * Keeps streams in Redis, Redis Cluster or Valkey, for all processes that share it.
 *
 * A message, its key and its reply are stored by one script, in one slot. Ages and windows are measured
 * by the clock of Redis. What is durable when `append()` resolves depends on the persistence of Redis:
 * see `docs/stream_spec.md`.
 *
 * @example
 * ```ts
 * import { RedisStreamStore } from "@sluice/sluice/streams/redis";
 * import assert from "node:assert/strict";
 *
 * const store = new RedisStreamStore("redis://127.0.0.1:1"); // Not a Redis.
 * await assert.rejects(store.append("news", { type: "said" }), { code: "UNAVAILABLE" });
 * await store.close();
 * ```
 */
export class RedisStreamStore implements StreamStore {
  readonly #settings: StreamSettings;
  readonly #cluster: ClusterClient;
  readonly #keys: RedisStreamKeys;
  #isClosed = false;

  /**
   * Creates a store, which connects at first use.
   *
   * @param url As for `RedisChannelLayer`: `redis://host:6379/0`, several hosts with commas.
   * @throws {TypeError} The address or prefix is invalid.
   * @throws {RangeError} A number is out of range.
   */
  constructor(url: string, options: RedisStreamStoreOptions = {}) {
    const { addresses, access } = parseRedisUrl(url);
    const { prefix = "sluice", ca, timeoutMs = 2_000 } = options;
    assertLayerPrefix(prefix);
    this.#settings = streamSettings(options);
    const keys = this.#keys = new RedisStreamKeys(prefix, access.database);
    this.#cluster = new ClusterClient({
      addresses,
      access,
      ca,
      timeoutMs,
      clock: this.#settings.clock,
      maxPendingBytes: MAX_PENDING_BYTES,
      proofName: keys.proof,
      scripts: Object.values(STREAM_SCRIPTS),
    }, () => {});
  }

  /** Returns the extent of a stream. */
  async state(stream: string): Promise<StreamState> {
    const { epoch, first, offset, earlier } = await this.#read(stream, { limit: 1, before: 1 });
    return { epoch, first, offset, earlier };
  }

  /** Stores a message at the end of a stream. */
  async append(
    stream: string,
    message: LayerMessage,
    options: AppendOptions = {},
  ): Promise<Appended> {
    const { key } = options;
    const { maxMessageBytes, keyWindowMs } = this.#settings;
    assertGroupName(stream);
    if (key !== undefined) assertKey(key);
    const { text, bytes } = checkMessage(message, maxMessageBytes);
    const reply = encodeReply(checkReply(options.reply, maxMessageBytes));
    const found = await this.#onStream(stream, STREAM_SCRIPTS.append, [
      newEpoch(),
      text,
      `${bytes}`,
      key === undefined ? "0" : "1",
      key === undefined ? "" : this.#keys.field(key),
      reply,
      `${keyWindowMs}`,
    ]);
    return toAppended(found);
  }

  /** Reads messages of a stream. */
  async read(stream: string, options: StreamReadOptions = {}): Promise<StreamPage> {
    return await this.#read(stream, options);
  }

  /** Returns the outcome of the append with a key. */
  async find(stream: string, key: string): Promise<Appended | undefined> {
    assertGroupName(stream);
    const name = this.#keys.stream(stream);
    const found = await this.#run(name, STREAM_SCRIPTS.find, [this.#keys.field(key)]);
    return (found as RedisReply[]).length === 0 ? undefined : toAppended(found as RedisReply[]);
  }

  /** Deletes all messages with a smaller offset than `before`. */
  async trim(stream: string, before: number): Promise<void> {
    await this.#read(stream, { limit: 1, before: 1 }, before);
  }

  /** Deletes all messages and begins a new epoch. */
  async clear(stream: string): Promise<void> {
    assertGroupName(stream);
    const name = this.#keys.stream(stream);
    const args = [newEpoch(), `${this.#settings.maxAgeMs + GRACE_MS}`];
    while (await this.#run(name, STREAM_SCRIPTS.clear, args) === 0);
  }

  /** Claims a command before it runs. */
  async claim(key: string): Promise<Claim> {
    assertKey(key);
    const token = crypto.randomUUID();
    const args = [token, `${CLAIM_MS}`, `${this.#settings.keyWindowMs}`];
    const reply = await this.#run(this.#keys.claim(key), STREAM_SCRIPTS.claim, args);
    const [state, outcome] = reply as readonly [Claim["state"], string];
    if (state === "claimed") return { state, token };
    return state === "settled" ? { state, outcome: decodeReply(outcome) } : { state };
  }

  /** Extends a claim. */
  renew(key: string, token: string): Promise<boolean> {
    return this.#settle(key, "renew", token);
  }

  /** Stores the outcome of a claimed command. */
  async settle(key: string, token: string, outcome: unknown): Promise<boolean> {
    const checked = checkReply(outcome, this.#settings.maxMessageBytes);
    return await this.#settle(key, "settle", token, encodeReply(checked));
  }

  /** Gives up a claim. */
  async release(key: string, token: string): Promise<void> {
    await this.#settle(key, "release", token);
  }

  /** Closes the connections. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#cluster.close();
    return Promise.resolve();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #read(stream: string, options: StreamReadOptions, trimBefore = 0): Promise<StreamPage> {
    const read = streamRead(options);
    assertGroupName(stream);
    const isForward = read.after !== undefined;
    const found = await this.#onStream(stream, STREAM_SCRIPTS.read, [
      newEpoch(),
      `${trimBefore}`,
      isForward ? "after" : "before",
      `${isForward ? read.after : read.before ?? Number.MAX_SAFE_INTEGER}`,
      `${read.limit}`,
      `${read.maxBytes}`,
    ]);
    return toPage(found, isForward);
  }

  async #settle(key: string, how: string, token: string, outcome = ""): Promise<boolean> {
    const args = [how, token, `${CLAIM_MS}`, outcome];
    return await this.#run(this.#keys.claim(key), STREAM_SCRIPTS.settle, args) === 1;
  }

  /** Runs a script with the limits of a stream. */
  async #onStream(
    stream: string,
    script: RedisScript,
    args: readonly string[],
  ): Promise<readonly RedisReply[]> {
    const { clock, maxMessages, maxAgeMs, maxBytes } = this.#settings;
    const startedAt = clock.elapsed();
    const limits = [maxMessages, maxAgeMs, maxBytes].map((limit) => `${Math.floor(limit)}`);
    const found = await this.#run(this.#keys.stream(stream), script, (connection) => {
      return [`${connection.deadline(startedAt)}`, ...limits, ...args];
    }) as readonly RedisReply[];
    if (found[0] === -1) throw storeUnavailable();
    return found;
  }

  async #run(
    name: string,
    script: RedisScript,
    args: readonly string[] | ((connection: RedisConnection) => readonly string[]),
  ): Promise<RedisReply> {
    if (this.#isClosed) throw storeClosed();
    try {
      return await this.#cluster.run(name, (connection) => {
        const all = typeof args === "function" ? args(connection) : args;
        return connection.script(script, [name], ...all);
      });
    } catch (error) {
      if (!(error instanceof RedisError)) throw error;
      throw error.code === "CLOSED" ? storeClosed() : storeUnavailable(error);
    }
  }
}
