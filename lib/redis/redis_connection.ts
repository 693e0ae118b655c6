import { Redis } from "ioredis";
import type { Clock } from "../core/clock.ts";
import { endsConnection, plainError, RedisError, RedisReplyError, unavailable } from "./errors.ts";
import { redisOptions, type RedisServerOptions } from "./redis_options.ts";
import type { RedisScript } from "./redis_script.ts";

/** A reply from Redis. */
export type RedisReply = string | number | null | readonly RedisReply[];

/** Receives the messages published under a name. */
export type RedisListener = (text: string, name: string) => void;

/** Options of {@linkcode RedisConnection.open}. */
export interface RedisConnectionOptions extends RedisServerOptions {
  readonly clock: Clock;
  /** How long a command may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Maximum number of bytes in commands without a reply yet. */
  readonly maxPendingBytes: number;
  /** The scripts to load before the first use. */
  readonly scripts: readonly RedisScript[];
  /** Called once when the connection ends, unless `close()` was called. */
  onLost(connection: RedisConnection): void;
  /** Called when Redis has ended a subscription, because the slot of its name has moved. */
  onMoved(name: string, connection: RedisConnection): void;
}

interface Subscription {
  readonly listener: RedisListener;
  isActive: boolean;
}

const BEAT_MS = 250;

/**
 * One connection to Redis 7 or later (RESP3) for both commands and sharded subscriptions, so that
 * replies and messages arrive in one order. It closes at the first failure and never reconnects.
 *
 * Every command settles within `timeoutMs` plus a quarter of a second: a heartbeat follows it within
 * that quarter, and replies arrive in order. Without a reply to a heartbeat, the connection is lost, and
 * its pending commands are rejected.
 */
export class RedisConnection {
  readonly #redis: Redis;
  readonly #options: RedisConnectionOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Counts the events after which a subscription may have moved. */
  #moves = 0;
  #fences = 0;
  #pendingBytes = 0;
  #offsetMs = 0;
  #lastSeenAt: number;
  #isOver = false;
  #cancelBeat: (() => void) | undefined;
  /** Why the connection ended. */
  #reason: unknown;

  private constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.#lastSeenAt = options.clock.now();
    const redis = this.#redis = new Redis(redisOptions(options));
    redis.on("smessage", (name: string, text: string) => {
      try {
        this.#subscriptions.get(name)?.listener(text, name);
      } catch {
        // `ioredis` would throw it outside of any handler, which ends the process.
        this.lose();
      }
    });
    redis.on("moved", () => this.#findMoved());
    redis.on("error", (error: unknown) => this.#reason ??= plainError(error));
    redis.on("end", () => this.lose());
  }

  /** Connects and signs in. @throws {RedisError} The connection was not ready within `timeoutMs`. */
  static async open(options: RedisConnectionOptions): Promise<RedisConnection> {
    const connection = new RedisConnection(options);
    await connection.#start();
    return connection;
  }

  /** Whether the connection has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** When Redis last replied, in milliseconds since the epoch. */
  get lastSeenAt(): number {
    return this.#lastSeenAt;
  }

  /** The deadline, by the clock of Redis, of a call that began at `startedAt` of `elapsed()`. */
  deadline(startedAt: number): number {
    return Math.round(startedAt + this.#offsetMs + this.#options.timeoutMs);
  }

  /** Sends a command. @throws {RedisError} `UNAVAILABLE`, or `LIMIT_REACHED` (too many pending bytes). */
  command(...args: readonly [string, ...string[]]): Promise<RedisReply> {
    let bytes = 0;
    for (const arg of args) bytes += arg.length;
    if (this.#pendingBytes + bytes > this.#options.maxPendingBytes) {
      const limit = `Cannot have more than ${this.#options.maxPendingBytes} bytes pending`;
      return Promise.reject(new RedisError("LIMIT_REACHED", limit));
    }
    return this.#ask(bytes, args);
  }

  /** Runs one of the loaded scripts. @throws {RedisError} As {@linkcode command}. */
  script({ sha }: RedisScript, keys: readonly string[], ...args: string[]): Promise<RedisReply> {
    return this.command("EVALSHA", sha, `${keys.length}`, ...keys, ...args);
  }

  /** Announces that the next command is for a slot that is being imported by this node. */
  asking(): void {
    this.command("ASKING").catch(() => {});
  }

  /** Resolves when Redis has confirmed the subscription. @throws {RedisError} `UNAVAILABLE`. */
  async subscribe(name: string, listener: RedisListener): Promise<void> {
    const subscription = { listener, isActive: false };
    this.#subscriptions.set(name, subscription);
    const moves = this.#moves;
    await this.#ask(name.length, ["SSUBSCRIBE", name]);
    subscription.isActive = true;
    if (moves !== this.#moves) this.#findMoved();
  }

  /**
   * Ends a subscription. If its slot moves at the same time, Redis may send two replies, of which
   * `ioredis` would give the second one to the next command, and so on. The `PING` right behind detects
   * that: the connection is then lost, before any other command gets a wrong reply.
   *
   * @see https://github.com/valkey-io/valkey/issues/1066
   */
  unsubscribe(name: string): void {
    if (this.#isOver) return;
    this.#subscriptions.delete(name);
    this.#ask(name.length, ["SUNSUBSCRIBE", name]).catch(() => {});
    const fence = `${++this.#fences}`;
    const check = (reply: unknown) => {
      if (reply !== fence) this.lose();
    };
    // As many microtasks after its reply as `#ask()`, so that this runs first.
    this.#redis.call("PING", fence).then(check, check);
  }

  /** Closes the connection and calls `onLost`. */
  lose(): void {
    if (this.#isOver) return;
    this.close();
    this.#options.onLost(this);
  }

  /** Closes the connection. Rejects pending commands. */
  close(): void {
    this.#isOver = true;
    this.#cancelBeat?.();
    this.#subscriptions.clear();
    this.#redis.disconnect();
    // A server that hangs would never confirm the end.
    this.#redis.stream?.destroy();
  }

  async #start(): Promise<void> {
    try {
      await this.#inTime(this.#redis.connect());
      const { scripts } = this.#options;
      const loads = scripts.map(({ source }) => this.command("SCRIPT", "LOAD", source));
      await Promise.all([this.#select(), ...loads, this.#beat()]);
    } catch (error) {
      this.close();
      throw unavailable(this.#reason ?? error);
    }
  }

  /** Checks that Redis speaks RESP3, and selects the database. */
  async #select(): Promise<void> {
    const server = await this.#ask(0, ["HELLO"]) as readonly RedisReply[];
    const valueOf = (key: string) => server[server.indexOf(key) + 1];
    if (valueOf("proto") !== 3) throw unavailable(new RedisReplyError("NOPROTO"));
    const { database } = this.#options.access;
    // A cluster has only one database; there, the number is only part of the names.
    if (database === 0 || valueOf("mode") === "cluster") return;
    await this.#ask(0, ["SELECT", `${database}`]);
  }

  /** Sends a heartbeat, even beyond `maxPendingBytes`, and measures the offset of Redis's clock. */
  async #beat(): Promise<void> {
    const { clock } = this.#options;
    this.#cancelBeat = clock.after(BEAT_MS, () => void this.#beat().catch(() => {}));
    const reply = await this.#inTime(this.#ask(0, ["TIME"]));
    const [seconds, microseconds] = reply as [string, string];
    const time = Number(seconds) * 1000 + Number(microseconds) / 1000;
    this.#offsetMs = time - clock.elapsed();
  }

  /** Settles as `work` does. The connection is lost if that takes longer than `timeoutMs`. */
  async #inTime<T>(work: Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    const cancel = clock.after(timeoutMs, () => this.lose());
    try {
      return await work;
    } finally {
      cancel();
    }
  }

  async #ask(bytes: number, [name, ...args]: readonly [string, ...string[]]): Promise<RedisReply> {
    if (this.#isOver) throw unavailable();
    this.#pendingBytes += bytes;
    try {
      const reply = await this.#redis.call(name, ...args);
      if (this.#isOver) throw unavailable();
      this.#lastSeenAt = this.#options.clock.now();
      return reply as RedisReply;
    } catch (error) {
      const cause = plainError(error);
      if (endsConnection(cause)) this.lose();
      throw unavailable(cause);
    } finally {
      this.#pendingBytes -= bytes;
    }
  }

  /** Finds the subscriptions that Redis has ended, as the event `moved` names none. */
  #findMoved(): void {
    this.#moves++;
    const subscriber = this.#redis.condition?.subscriber;
    const active = new Set(subscriber ? subscriber.channels("ssubscribe") : []);
    for (const [name, { isActive }] of this.#subscriptions) {
      if (!isActive || active.has(name)) continue;
      this.#subscriptions.delete(name);
      this.#options.onMoved(name, this);
    }
  }
}
