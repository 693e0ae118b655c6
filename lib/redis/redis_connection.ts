import type { Clock } from "../core/clock.ts";
import type { RedisReply } from "./redis_reader.ts";
import { isUseless, RedisError, unavailable } from "./errors.ts";
import type { RedisScript } from "./redis_script.ts";
import { type RedisListener, RedisSocket, type RedisSocketOptions } from "./redis_socket.ts";
import { StallWatch } from "./stall_watch.ts";

/** Options of {@linkcode RedisConnection.open}. */
export interface RedisConnectionOptions extends RedisSocketOptions {
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

const BEAT_MS = 1_000;

/**
 * One connection to Redis for both commands and subscriptions, so that replies and messages arrive in
 * one order. It closes at the first failure and never reconnects.
 *
 * Every command settles within `timeoutMs` plus a quarter of a second: a connection without replies
 * counts as lost, and its pending commands are rejected.
 */
export class RedisConnection {
  readonly #socket: RedisSocket;
  readonly #options: RedisConnectionOptions;
  readonly #watch: StallWatch;
  #pendingBytes = 0;
  #offsetMs = 0;
  #lastSeenAt: number;
  #isOver = false;
  #cancelBeat: (() => void) | undefined;

  private constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.#lastSeenAt = options.clock.now();
    this.#watch = new StallWatch(options.clock, options.timeoutMs, () => this.lose());
    this.#socket = RedisSocket.open(options, {
      moved: (name) => options.onMoved(name, this),
      over: () => this.lose(),
    });
  }

  /** Connects and signs in. @throws {Error} The connection was not ready within `timeoutMs`. */
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
  command(...args: string[]): Promise<RedisReply> {
    let bytes = 0;
    for (const arg of args) bytes += arg.length;
    if (this.#pendingBytes + bytes > this.#options.maxPendingBytes) {
      const limit = `Cannot have more than ${this.#options.maxPendingBytes} bytes pending`;
      return Promise.reject(new RedisError("LIMIT_REACHED", limit));
    }
    return this.#ask(bytes, () => this.#socket.command(args));
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
    await this.#ask(name.length, () => this.#socket.subscribe(name, listener));
  }

  async unsubscribe(name: string): Promise<void> {
    await this.#ask(name.length, () => this.#socket.unsubscribe(name));
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
    this.#watch.stop();
    this.#socket.destroy();
  }

  async #start(): Promise<void> {
    this.#watch.asked();
    try {
      await this.#socket.hello(this.#options.access);
      this.#watch.answered();
      const { scripts } = this.#options;
      await Promise.all(scripts.map(({ source }) => this.command("SCRIPT", "LOAD", source)));
      await this.#beat();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Sends a heartbeat, and measures the offset of Redis's clock. */
  async #beat(): Promise<void> {
    const [seconds, microseconds] = await this.command("TIME") as [string, string];
    const time = Number(seconds) * 1000 + Number(microseconds) / 1000;
    this.#offsetMs = time - this.#options.clock.elapsed();
    if (this.#isOver) return;
    this.#cancelBeat = this.#options.clock.after(BEAT_MS, () => void this.#beat().catch(() => {}));
  }

  async #ask<T>(bytes: number, send: () => Promise<T>): Promise<T> {
    if (this.#isOver) throw unavailable();
    this.#pendingBytes += bytes;
    this.#watch.asked();
    try {
      const reply = await send();
      this.#lastSeenAt = this.#options.clock.now();
      return reply;
    } catch (error) {
      if (isUseless(error)) this.lose();
      throw unavailable(error);
    } finally {
      this.#pendingBytes -= bytes;
      this.#watch.answered();
    }
  }
}
