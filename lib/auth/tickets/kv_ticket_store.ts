import { type Clock, systemClock } from "../../core/clock.ts";
import { type KeyValue, listAll } from "../../kv/mod.ts";

/** A key that signs tickets, as stored. */
export interface TicketKey {
  /** Identifies the key in tickets; not a secret. */
  readonly id: string;
  /** *Security*: it allows creating tickets. Never log it. */
  readonly secret: Uint8Array<ArrayBuffer>;
  /** In milliseconds since the epoch. */
  readonly createdAt: number;
}

/**
 * Stores ticket keys and used tickets in a database, for all processes that share it.
 *
 * `["ticket_keys", id]` is a key, `["tickets_used", id]` a used ticket; both expire by themselves.
 */
export class KvTicketStore {
  readonly #kv: KeyValue;
  readonly #clock: Clock;

  /**
   * Creates a store over a database.
   *
   * @param kv The database.
   */
  constructor(kv: KeyValue, options: { readonly clock?: Clock } = {}) {
    this.#kv = kv;
    this.#clock = options.clock ?? systemClock;
  }

  /** Returns all stored keys. */
  keys(): Promise<TicketKey[]> {
    const entries = listAll<TicketKey>(this.#kv, { prefix: ["ticket_keys"] });
    return Array.fromAsync(entries, ({ value }) => value);
  }

  /** Stores a key at least until `forgetAt`, in milliseconds since the epoch. */
  async addKey(key: TicketKey, forgetAt: number): Promise<void> {
    await this.#kv.set(["ticket_keys", key.id], key, { expireInMs: this.#until(forgetAt) });
  }

  /**
   * Marks a ticket as used, at least until `forgetAt`.
   *
   * Atomic: of all calls with one id, over all processes, exactly one returns true.
   */
  async use(id: string, forgetAt: number): Promise<boolean> {
    const key = ["tickets_used", id];
    const { ok } = await this.#kv.atomic()
      .check({ key, version: null })
      .set(key, null, { expireInMs: this.#until(forgetAt) })
      .commit();
    return ok;
  }

  #until(time: number): number {
    return Math.max(1, time - this.#clock.now());
  }
}
