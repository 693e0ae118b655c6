import type { LayerGap } from "./channel_layer.ts";
import type { RedisAddress } from "./redis_address.ts";
import type { RedisConnection } from "./redis_connection.ts";
import { RedisLink, type RedisLinkOptions } from "./redis_link.ts";
import { RedisError } from "./redis_reader.ts";
import { RedisRedirection } from "./redis_refusal.ts";
import { RedisSlots } from "./redis_slots.ts";

/** Options of a {@linkcode RedisHome}. */
export interface RedisHomeOptions extends RedisLinkOptions {
  /** Whom to ask first: one of them has to answer. */
  readonly addresses: readonly [RedisAddress, ...RedisAddress[]];
}

/** What a {@linkcode RedisHome} tells. */
export interface RedisHomeWatcher {
  /** Called whenever it was asked who has what: with whether that is news. */
  known(isNew: boolean): Promise<void>;
  /** Called with each new connection of a Redis that is no cluster: to subscribe again. */
  restore(connection: RedisConnection): Promise<void>;
  lost(): void;
  /** Called when a Redis that is no cluster is back. */
  recovered(gap: LayerGap): void;
}

/** How often a cluster is asked who has what, in milliseconds. */
const LOOK_MS = 1_000;

/**
 * The connection to whichever node answers first: finds out whether it is one of a cluster, and there
 * who has which slot. Where it is none, it carries everything.
 */
export class RedisHome {
  readonly link: RedisLink;
  readonly #options: RedisHomeOptions;
  readonly #watcher: RedisHomeWatcher;
  #slots: RedisSlots | undefined;
  #address: RedisAddress;
  #tries = 0;
  #lookedAt: number;
  #looking: Promise<void> | undefined;
  #isClosed = false;
  #cancelLook: (() => void) | undefined;

  constructor(options: RedisHomeOptions, watcher: RedisHomeWatcher) {
    this.#options = options;
    this.#watcher = watcher;
    this.#address = options.addresses[0];
    this.#lookedAt = options.clock.now();
    this.link = new RedisLink(options, {
      address: () => this.#nextAddress(),
      restore: (connection, address) => this.#restore(connection, address),
      lost: () => watcher.lost(),
      moved: () => {},
      // In a cluster nothing is heard over it.
      recovered: (gap) => this.#slots === undefined ? watcher.recovered(gap) : undefined,
    });
  }

  /** Who has what; undefined where it is no cluster, or not known yet. */
  get slots(): RedisSlots | undefined {
    return this.#slots;
  }

  /** The last moment at which who has what was asked, and has been answered. */
  get lookedAt(): number {
    return this.#lookedAt;
  }

  /** Resolves where it answers, and a cluster says that it is well. @throws {LayerError} `UNAVAILABLE`. */
  async check(): Promise<void> {
    const connection = await this.link.ready();
    if (this.#slots !== undefined) await this.look();
    else await connection.command("PING");
  }

  /** Asks a cluster who has what. @throws {LayerError} `UNAVAILABLE`. */
  look(): Promise<void> {
    return this.#looking ??= this.#look().finally(() => this.#looking = undefined);
  }

  lookSoon(): void {
    if (!this.#isClosed) this.look().catch(() => {});
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook?.();
    this.link.close();
  }

  /** Every node that was named, or is known, in turn. */
  #nextAddress(): RedisAddress {
    const known = [...this.#options.addresses, ...this.#slots?.owners.values() ?? []];
    return known[this.#tries++ % known.length]!;
  }

  async #restore(connection: RedisConnection, address: RedisAddress): Promise<void> {
    this.#address = address;
    await this.#read(connection);
    await this.#watcher.known(true);
    if (this.#slots === undefined) await this.#watcher.restore(connection);
  }

  async #look(): Promise<void> {
    const connection = await this.link.ready();
    let isNew: boolean;
    try {
      isNew = await this.#read(connection);
    } catch (error) {
      // A node that lost the others: one of those may know more.
      if (error instanceof RedisRedirection) this.link.leave(connection);
      throw error;
    }
    await this.#watcher.known(isNew);
  }

  /** Returns whether something has changed. */
  async #read(connection: RedisConnection): Promise<boolean> {
    const startedAt = this.#options.clock.now();
    try {
      const [slots, info] = await Promise.all([
        connection.command("CLUSTER", "SLOTS"),
        connection.command("CLUSTER", "INFO"),
      ]);
      if (!String(info).includes("cluster_state:ok")) throw new RedisRedirection("later");
      const old = this.#slots;
      const found = this.#slots = RedisSlots.parse(slots, this.#address);
      this.#lookedAt = startedAt;
      this.#lookLater();
      return !found.equals(old);
    } catch (error) {
      const isRefused = error instanceof Error && error.cause instanceof RedisError;
      if (!isRefused || error instanceof RedisRedirection) throw error;
      // It is no cluster, or this user may not ask it.
      this.#slots = undefined;
      return true;
    }
  }

  #lookLater(): void {
    this.#cancelLook?.();
    if (this.#isClosed) return;
    this.#cancelLook = this.#options.clock.after(LOOK_MS, () => {
      this.#lookLater();
      this.lookSoon();
    });
  }
}
