import type { RedisAddress } from "./redis_address.ts";
import type { RedisConnection } from "./redis_connection.ts";
import {
  ReconnectingConnection,
  type ReconnectingConnectionOptions,
} from "./reconnecting_connection.ts";
import { RedisRedirection, RedisReplyError } from "./errors.ts";
import { RedisSlots } from "./redis_slots.ts";

/** Options of a {@linkcode ClusterTopology}. */
export interface ClusterTopologyOptions extends ReconnectingConnectionOptions {
  /** The addresses to try first; one of them has to reply. */
  readonly addresses: readonly [RedisAddress, ...RedisAddress[]];
  /** A key that never exists. A server that accepts its deletion is not a replica. */
  readonly proofName: string;
}

/** Callbacks of a {@linkcode ClusterTopology}. */
export interface TopologyWatcher {
  /** Called after each topology check; `isNew` says whether the topology has changed. */
  mapRead(isNew: boolean): Promise<void>;
  lost(connection: RedisConnection): void;
  opened(): void;
}

/** The time between two checks, in milliseconds. */
const CHECK_MS = 1_000;

/**
 * The connection to the first node that replies. Detects a single Redis or a cluster, and reads the
 * slots of a cluster. For a single Redis, this connection carries everything.
 *
 * Checks once a second: the slots of a cluster, or that a single Redis is still a primary.
 */
export class ClusterTopology {
  readonly link: ReconnectingConnection;
  readonly #options: ClusterTopologyOptions;
  readonly #watcher: TopologyWatcher;
  #slots: RedisSlots | undefined;
  #address: RedisAddress;
  #tries = 0;
  #checkedAt: number;
  #greetedAt = 0;
  #refreshing: Promise<void> | undefined;
  #isClosed = false;
  #cancelRefresh: (() => void) | undefined;

  constructor(options: ClusterTopologyOptions, watcher: TopologyWatcher) {
    this.#options = options;
    this.#watcher = watcher;
    this.#address = options.addresses[0];
    this.#checkedAt = options.clock.now();
    this.link = new ReconnectingConnection(options, {
      address: () => this.#nextAddress(),
      greet: (connection, address) => this.#greet(connection, address),
      restore: () => watcher.mapRead(true),
      lost: (connection) => watcher.lost(connection),
      moved: () => {},
      opened: () => {
        watcher.opened();
        this.#checkedAt = this.#greetedAt;
      },
    });
  }

  /** The slots of a cluster; `undefined` for a single Redis, or before they are known. */
  get slots(): RedisSlots | undefined {
    return this.#slots;
  }

  /** When the last successful check began. */
  get refreshedAt(): number {
    return this.#checkedAt;
  }

  /**
   * Checks the slots and health of a cluster, or that a single Redis is a primary.
   *
   * @throws {RedisError} `UNAVAILABLE`.
   */
  refresh(): Promise<void> {
    return this.#refreshing ??= this.#refresh().finally(() => this.#refreshing = undefined);
  }

  /** Starts a check, unless one is running. */
  refreshSoon(): void {
    if (!this.#isClosed) this.refresh().catch(() => {});
  }

  /** Closes the connection. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRefresh?.();
    this.link.close();
  }

  /** Returns the configured and the known nodes in turn. */
  #nextAddress(): RedisAddress {
    const known = [...this.#options.addresses, ...this.#slots?.owners.values() ?? []];
    return known[this.#tries++ % known.length]!;
  }

  /** The first check. Its time counts only after `opened`, so that an earlier gap is reported first. */
  async #greet(connection: RedisConnection, address: RedisAddress): Promise<void> {
    this.#greetedAt = this.#options.clock.now();
    this.#address = address;
    const found = await this.#read(connection);
    if (found === undefined) await this.#prove(connection);
    this.#slots = found;
    this.#refreshLater();
  }

  async #refresh(): Promise<void> {
    const connection = await this.link.ready();
    const startedAt = this.#options.clock.now();
    if (this.#slots === undefined) await this.#prove(connection);
    else await this.#readSlots(connection, this.#slots);
    this.#checkedAt = startedAt;
    this.#refreshLater();
  }

  async #readSlots(connection: RedisConnection, old: RedisSlots): Promise<void> {
    try {
      const found = await this.#read(connection);
      // Redirections may have changed the old slots in the meantime.
      const isNew = found?.equals(old) !== true;
      if (isNew) this.#slots = found;
      await this.#watcher.mapRead(isNew);
    } catch (error) {
      // This node has lost the others, so another one may know more.
      if (error instanceof RedisRedirection) this.link.leave(connection);
      throw error;
    }
  }

  /** Reads the slots of a cluster; `undefined` if it is not a cluster, or the user lacks permission. */
  async #read(connection: RedisConnection): Promise<RedisSlots | undefined> {
    try {
      const [slots, info] = await Promise.all([
        connection.command("CLUSTER", "SLOTS"),
        connection.command("CLUSTER", "INFO"),
      ]);
      if (!String(info).includes("cluster_state:ok")) throw new RedisRedirection("later");
      return RedisSlots.parse(slots, this.#address);
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }

  /** A replica replies `READONLY`, which ends the connection. Any other reply is from a primary. */
  async #prove(connection: RedisConnection): Promise<void> {
    try {
      await connection.command("UNLINK", this.#options.proofName);
    } catch (error) {
      if (connection.isOver || !isRefusal(error)) throw error;
    }
  }

  #refreshLater(): void {
    this.#cancelRefresh?.();
    if (this.#isClosed) return;
    this.#cancelRefresh = this.#options.clock.after(CHECK_MS, () => {
      this.#refreshLater();
      this.refreshSoon();
    });
  }
}

/** Whether Redis replied with an error other than a redirection. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof RedisReplyError &&
    !(error instanceof RedisRedirection);
}
