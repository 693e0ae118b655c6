import type { LayerGap } from "./channel_layer.ts";
import { closedError } from "./layer_error.ts";
import type { RedisAddress } from "./redis_address.ts";
import { RedisConnection, type RedisConnectionOptions } from "./redis_connection.ts";
import { unavailable } from "./redis_refusal.ts";

/** How a {@linkcode RedisLink} connects. */
export type RedisLinkOptions = Omit<RedisConnectionOptions, "address" | "onLost" | "onMoved">;

/** What a {@linkcode RedisLink} asks and tells. */
export interface RedisLinkWatcher {
  /** Where to connect to, asked at every try. */
  address(): RedisAddress;
  /** Called with each new connection, before it is used for anything else: to subscribe again. */
  restore(connection: RedisConnection, address: RedisAddress): Promise<void>;
  /** Called when a connection is lost: what was expected of it does not come any more. */
  lost(): void;
  /** Called when a try has failed. */
  failed?(): void;
  /** Called when Redis has ended a subscription. */
  moved(name: string): void;
  /** Called when there is a connection again. */
  recovered(gap: LayerGap): void;
}

const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;

/** Keeps a connection to Redis: opens it at first use, and again after a random pause when it is lost. */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #watcher: RedisLinkWatcher;
  #connection: RedisConnection | undefined;
  /** The first try, or that it failed; nothing before it began. */
  #first: Promise<unknown> | undefined;
  #isFirst = true;
  #closed: Error | undefined;
  /** Why there is none. */
  #failure: unknown;
  /** When messages were certain to arrive last. */
  #cutOffAt: number | undefined;
  #cancelRetry: (() => void) | undefined;

  constructor(options: RedisLinkOptions, watcher: RedisLinkWatcher) {
    this.#options = options;
    this.#watcher = watcher;
  }

  /** The connection that is there now. */
  get connection(): RedisConnection | undefined {
    return this.#connection;
  }

  /** Since when there is none, though there was. */
  get cutOffAt(): number | undefined {
    return this.#cutOffAt;
  }

  /**
   * Returns the connection. Waits for the first try to get one, and for no later one.
   *
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  async ready(): Promise<RedisConnection> {
    if (this.#closed) throw this.#closed;
    if (this.#isFirst) await (this.#first ??= this.#connect(0));
    if (this.#closed) throw this.#closed;
    if (this.#connection === undefined) throw unavailable(this.#failure);
    return this.#connection;
  }

  /** Begins to connect where that has not been done; messages are missed since `since`. */
  open(since?: number): void {
    if (since !== undefined) this.#cutOffAt = Math.min(since, this.#cutOffAt ?? since);
    this.ready().catch(() => {});
  }

  /** Gives a connection up that answers, but not well, for another one. */
  leave(connection: RedisConnection): void {
    if (this.#connection !== connection) return;
    connection.close();
    this.#lose(connection);
  }

  /** Ends it: what is asked from now on rejects with `error`. */
  close(error: Error = closedError()): void {
    this.#closed = error;
    this.#cancelRetry?.();
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #connect(retries: number): Promise<void> {
    let opened: RedisConnection | undefined;
    let isLost = false;
    const address = this.#watcher.address();
    const onLost = () => {
      isLost = true;
      if (opened !== undefined && this.#connection === opened) this.#lose(opened);
    };
    const onMoved = (name: string) => this.#watcher.moved(name);
    try {
      opened = await RedisConnection.open({ ...this.#options, address, onLost, onMoved });
      await this.#watcher.restore(opened, address);
      if (isLost || this.#closed) throw unavailable();
      this.#use(opened);
    } catch (error) {
      opened?.close();
      this.#failure = error;
      this.#retry(retries);
      this.#watcher.failed?.();
    } finally {
      this.#isFirst = false;
    }
  }

  #use(connection: RedisConnection): void {
    this.#connection = connection;
    if (this.#cutOffAt === undefined) return;
    const gap = { since: this.#cutOffAt, until: this.#options.clock.now() };
    this.#cutOffAt = undefined;
    this.#watcher.recovered(gap);
  }

  #lose(connection: RedisConnection): void {
    this.#connection = undefined;
    this.#failure = undefined;
    this.#cutOffAt = Math.min(connection.lastSeenAt, this.#cutOffAt ?? Infinity);
    this.#watcher.lost();
    this.#retry(0);
  }

  /** *Full jitter*: processes that lost Redis together do not come back together. */
  #retry(retries: number): void {
    if (this.#closed) return;
    const longest = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** retries);
    this.#cancelRetry = this.#options.clock.after(Math.random() * longest, () => {
      void this.#connect(retries + 1);
    });
  }
}
