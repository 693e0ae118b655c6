import type { Clock } from "../scope.ts";
import type { LayerGap } from "./channel_layer.ts";
import { closedError } from "./layer_error.ts";
import { RedisConnection, unavailable } from "./redis_connection.ts";
import type { RedisConnectionOptions } from "./redis_connection.ts";

/** What a {@linkcode RedisLink} tells its layer. */
export interface RedisLinkWatcher {
  /** Called with each new connection, before it is used for anything else: to subscribe again. */
  restore(connection: RedisConnection): Promise<void>;
  /** Called when a connection is lost: what was expected of it does not come any more. */
  lost(): void;
  /** Called when there is a connection again. */
  recovered(gap: LayerGap): void;
}

const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;

/** Keeps a connection to Redis: opens it at first use, and again after a random pause when it is lost. */
export class RedisLink {
  readonly #options: Omit<RedisConnectionOptions, "onLost">;
  readonly #watcher: RedisLinkWatcher;
  readonly #clock: Clock;
  #connection: RedisConnection | undefined;
  /** The first try, or that it failed; nothing before it began. */
  #first: Promise<unknown> | undefined;
  #isFirst = true;
  #isClosed = false;
  /** When messages were certain to arrive last. */
  #cutOffAt: number | undefined;
  #cancelRetry: (() => void) | undefined;

  constructor(options: Omit<RedisConnectionOptions, "onLost">, watcher: RedisLinkWatcher) {
    this.#options = options;
    this.#watcher = watcher;
    this.#clock = options.clock;
  }

  /** The connection that is there now. */
  get connection(): RedisConnection | undefined {
    return this.#connection;
  }

  /**
   * Returns the connection. Waits for the first try to get one, and for no later one.
   *
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  async ready(): Promise<RedisConnection> {
    if (this.#isClosed) throw closedError();
    if (this.#isFirst) await (this.#first ??= this.#connect(0));
    if (this.#isClosed) throw closedError();
    if (this.#connection === undefined) throw unavailable();
    return this.#connection;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #connect(retries: number): Promise<void> {
    let opened: RedisConnection | undefined;
    let isLost = false;
    const onLost = () => {
      isLost = true;
      if (opened !== undefined && this.#connection === opened) this.#lose(opened);
    };
    try {
      opened = await RedisConnection.open({ ...this.#options, onLost });
      await this.#watcher.restore(opened);
      if (isLost || this.#isClosed) throw unavailable();
      this.#use(opened);
    } catch {
      opened?.close();
      this.#retry(retries);
    } finally {
      this.#isFirst = false;
    }
  }

  #use(connection: RedisConnection): void {
    this.#connection = connection;
    if (this.#cutOffAt === undefined) return;
    const gap = { since: this.#cutOffAt, until: this.#clock.now() };
    this.#cutOffAt = undefined;
    this.#watcher.recovered(gap);
  }

  #lose(connection: RedisConnection): void {
    this.#connection = undefined;
    this.#cutOffAt = connection.lastSeenAt;
    this.#watcher.lost();
    this.#retry(0);
  }

  /** *Full jitter*: processes that lost Redis together do not come back together. */
  #retry(retries: number): void {
    if (this.#isClosed) return;
    const longest = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** retries);
    this.#cancelRetry = this.#clock.after(Math.random() * longest, () => {
      void this.#connect(retries + 1);
    });
  }
}
