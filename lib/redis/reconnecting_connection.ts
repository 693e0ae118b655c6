import type { RedisAddress } from "./redis_address.ts";
import { RedisConnection, type RedisConnectionOptions } from "./redis_connection.ts";
import { retryPauseMs } from "../time/retry_pause.ts";
import { closedError, unavailable } from "./errors.ts";

/** How a {@linkcode ReconnectingConnection} connects. */
export type ReconnectingConnectionOptions = Omit<
  RedisConnectionOptions,
  "address" | "onLost" | "onMoved"
>;

/** Callbacks of a {@linkcode ReconnectingConnection}. */
export interface ConnectionWatcher {
  /** Returns the address to connect to. Called at every attempt. */
  address(): RedisAddress;
  /** Called with each new connection before its first other use. */
  greet?(connection: RedisConnection, address: RedisAddress): Promise<void>;
  /** Called with each new connection before it is ready, to restore its subscriptions. */
  restore(): Promise<void>;
  /** Called when a connection has ended, ready or not. */
  lost(connection: RedisConnection): void;
  /** Called when an attempt has failed. */
  failed?(): void;
  /** Called when Redis has ended a subscription. */
  moved(name: string, connection: RedisConnection): void;
  /** Called when a connection is ready. */
  opened(): void;
}

const RETRY_PAUSE = { minMs: 50, maxMs: 2_000 };

/** A connection to Redis that opens at first use, and reconnects after a random pause. */
export class ReconnectingConnection {
  readonly #options: ReconnectingConnectionOptions;
  readonly #watcher: ConnectionWatcher;
  #carrier: RedisConnection | undefined;
  #isReady = false;
  /** The first attempt, pending or settled; `undefined` before it starts. */
  #first: Promise<void> | undefined;
  #isFirst = true;
  #closed: Error | undefined;
  /** Why the last attempt failed. */
  #failure: unknown;
  #cancelRetry: (() => void) | undefined;

  constructor(options: ReconnectingConnectionOptions, watcher: ConnectionWatcher) {
    this.#options = options;
    this.#watcher = watcher;
  }

  /** The connection, once its subscriptions are active. */
  get connection(): RedisConnection | undefined {
    return this.#isReady ? this.#carrier : undefined;
  }

  /** The connection, even before it is ready; for further subscriptions. */
  get carrier(): RedisConnection | undefined {
    return this.#carrier;
  }

  /**
   * Returns the connection. Waits for the first attempt to connect, but not for later ones.
   *
   * @throws {RedisError} `UNAVAILABLE`, or `CLOSED`.
   */
  async ready(): Promise<RedisConnection> {
    if (this.#isFirst && this.#closed === undefined) await (this.#first ??= this.#connect(0));
    if (this.#closed) throw this.#closed;
    return this.connection ?? Promise.reject(unavailable(this.#failure));
  }

  /** Starts to connect, unless it has already. */
  open(): void {
    this.ready().catch(() => {});
  }

  /** Replaces a connection that replies but is not usable. */
  leave(connection: RedisConnection): void {
    if (this.#carrier === connection) connection.lose();
  }

  /** Closes the connection. Later calls reject with `error`. */
  close(error: Error = closedError()): void {
    this.#closed = error;
    this.#cancelRetry?.();
    this.#drop();
  }

  async #connect(retries: number): Promise<void> {
    const address = this.#watcher.address();
    let connection: RedisConnection | undefined;
    try {
      connection = await RedisConnection.open({
        ...this.#options,
        address,
        onLost: (lost) => this.#lose(lost),
        onMoved: (name, from) => this.#watcher.moved(name, from),
      });
      await this.#watcher.greet?.(connection, address);
      if (connection.isOver || this.#closed) throw unavailable();
      this.#carrier = connection;
      await this.#watcher.restore();
      if (this.#carrier !== connection) throw unavailable();
      this.#isReady = true;
    } catch (error) {
      this.#failure = error;
      connection?.close();
      this.#drop();
      this.#retry(retries);
      this.#watcher.failed?.();
    } finally {
      this.#isFirst = false;
    }
    if (this.#isReady) this.#watcher.opened();
  }

  #lose(connection: RedisConnection): void {
    if (this.#carrier !== connection) return;
    const wasReady = this.#isReady;
    this.#failure = undefined;
    this.#drop();
    // Before it is ready, `#connect` retries.
    if (wasReady) this.#retry(0);
  }

  #drop(): void {
    const connection = this.#carrier;
    this.#carrier = undefined;
    this.#isReady = false;
    if (connection === undefined) return;
    connection.close();
    this.#watcher.lost(connection);
  }

  /** Uses *full jitter*, so that processes do not reconnect at the same time. */
  #retry(retries: number): void {
    if (this.#closed) return;
    const waitMs = Math.random() * retryPauseMs(retries, RETRY_PAUSE);
    this.#cancelRetry = this.#options.clock.after(waitMs, () => {
      void this.#connect(retries + 1).catch(() => {});
    });
  }
}
