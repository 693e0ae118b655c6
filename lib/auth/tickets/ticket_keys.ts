import type { Clock } from "../../core/clock.ts";
import { randomId } from "../../sessions/tokens/secrets.ts";
import type { KvTicketStore, TicketKey } from "./kv_ticket_store.ts";

/** An imported key. */
export interface SigningKey {
  readonly id: string;
  readonly key: CryptoKey;
}

/** How long a key signs, in milliseconds. */
const ROTATE_MS = 24 * 3_600_000;

/** How long a key still verifies after its last signature, in milliseconds. */
const GRACE_MS = 60_000;

/** Shortest time between two reads because of unknown key ids, in milliseconds. */
const RELOAD_MS = 1_000;

/** Key length in bytes: that of SHA-256 (RFC 7518 §3.2). */
const KEY_BYTES = 32;

/**
 * Creates the keys that sign tickets and shares them with all processes through the database. Each
 * key signs for a day and verifies for a minute longer.
 *
 * Two processes that need a key at the same moment may each create one; both are valid.
 */
export class TicketKeys {
  readonly #store: KvTicketStore;
  readonly #clock: Clock;
  readonly #keys = new Map<string, { createdAt: number; key: CryptoKey }>();
  #loading: Promise<void> | undefined;
  /** In elapsed milliseconds. */
  #loadedAt = -Infinity;

  constructor(store: KvTicketStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Returns the key to sign with. Reads the store only once a day. */
  async current(): Promise<SigningKey> {
    const known = this.#newest();
    if (known) return known;
    await this.#load();
    return this.#newest() ?? await this.#create();
  }

  /** Returns a key by its id. An unknown id costs a read, at most once a second. */
  async find(id: string): Promise<CryptoKey | undefined> {
    if (!this.#keys.has(id) && this.#clock.elapsed() - this.#loadedAt >= RELOAD_MS) {
      await this.#load();
    }
    const found = this.#keys.get(id);
    const now = this.#clock.now();
    return found && now < found.createdAt + ROTATE_MS + GRACE_MS ? found.key : undefined;
  }

  #newest(): SigningKey | undefined {
    const since = this.#clock.now() - ROTATE_MS;
    const [newest] = [...this.#keys]
      .filter(([, { createdAt }]) => createdAt > since)
      .sort(([, a], [, b]) => b.createdAt - a.createdAt);
    return newest && { id: newest[0], key: newest[1].key };
  }

  #load(): Promise<void> {
    return this.#loading ??= this.#read().finally(() => this.#loading = undefined);
  }

  async #read(): Promise<void> {
    const stored = await this.#store.keys();
    this.#loadedAt = this.#clock.elapsed();
    const forgotten = this.#clock.now() - ROTATE_MS - GRACE_MS;
    for (const [id, { createdAt }] of this.#keys) {
      if (createdAt < forgotten) this.#keys.delete(id);
    }
    for (const key of stored) {
      if (!this.#keys.has(key.id) && key.createdAt >= forgotten) await this.#keep(key);
    }
  }

  async #create(): Promise<SigningKey> {
    const secret = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
    const created = { id: randomId(), secret, createdAt: this.#clock.now() };
    await this.#store.addKey(created, created.createdAt + ROTATE_MS + GRACE_MS);
    return { id: created.id, key: await this.#keep(created) };
  }

  async #keep({ id, secret, createdAt }: TicketKey): Promise<CryptoKey> {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign", "verify"]);
    this.#keys.set(id, { createdAt, key });
    return key;
  }
}
