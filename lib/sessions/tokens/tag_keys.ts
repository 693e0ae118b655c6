import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { Clock } from "../../core/clock.ts";

/** A key that tags session tokens; one per period. */
export interface TagKey {
  /** The day that it is for, counted from the epoch; not a secret. */
  readonly period: number;
  /** *Security*: it allows forging tokens that cost a read each. Never log it. */
  readonly secret: Uint8Array;
}

/** The part of a `SessionStore` that holds the keys. */
interface TagKeyStore {
  addTagKey(key: TagKey, forgetAt: number): Promise<Uint8Array>;
  tagKeys(): Promise<{
    readonly keys: readonly TagKey[];
    readonly untaggedSince: number | undefined;
  }>;
}

const PERIOD_MS = 24 * 3_600_000;

/** Largest clock difference between two processes, in milliseconds. */
const CLOCK_SKEW_MS = 300_000;

const KEY_BYTES = 32;

/**
 * Manages the keys that tag session tokens: one per day, shared by all processes with the same
 * store.
 *
 * The first process that needs a day's key creates it; the store keeps the first one. So every
 * process knows which keys can exist: it refuses a token with any other key id without a read, and
 * reads the store at most once per day, regardless of the tokens it receives.
 */
export class TagKeys {
  readonly #store: TagKeyStore;
  readonly #clock: Clock;
  readonly #sessionTtlMs: number;
  readonly #keys = new Map<number, Uint8Array>();
  readonly #adding = new Map<number, Promise<Uint8Array>>();
  #loading: Promise<void> | undefined;
  #loadedAt = -Infinity;
  #untaggedUntil = -Infinity;

  /** @param options.sessionTtlMs The longest lifetime of a session, in milliseconds. */
  constructor(
    store: TagKeyStore,
    options: { clock: Clock; sessionTtlMs: number },
  ) {
    this.#store = store;
    this.#clock = options.clock;
    this.#sessionTtlMs = options.sessionTtlMs;
  }

  /** Returns today's key. */
  async current(): Promise<TagKey> {
    const period = periodAt(this.#clock.now());
    return { period, secret: this.#keys.get(period) ?? await this.#add(period) };
  }

  /** Reads the keys of the store once. */
  async prepare(): Promise<void> {
    if (this.#loadedAt === -Infinity) await this.#load();
  }

  /** Returns the newest keys that this process knows, the newest first. Reads nothing. */
  newest(count: number): TagKey[] {
    const periods = [...this.#keys.keys()].sort((a, b) => b - a).slice(0, count);
    return periods.map((period) => ({ period, secret: this.#keys.get(period)! }));
  }

  /** Returns the key of a period if this process knows it. Reads nothing. */
  known(period: number): Uint8Array | undefined {
    return this.#keys.get(period);
  }

  /** Returns the key of a period, or undefined; synchronously if no read is needed. */
  find(period: number): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const known = this.#keys.get(period);
    if (known !== undefined) return known;
    const now = this.#clock.now();
    if (period > periodAt(now + CLOCK_SKEW_MS)) return undefined;
    if (period >= periodAt(now - CLOCK_SKEW_MS)) return this.#add(period);
    // A period that had ended when the keys were read never gets a key.
    if (period < periodAt(this.#loadedAt - CLOCK_SKEW_MS)) return undefined;
    return this.#load().then(() => this.#keys.get(period));
  }

  /** Returns whether an untagged token may belong to a session; synchronously if no read is needed. */
  acceptsUntagged(): boolean | Promise<boolean> {
    if (this.#loadedAt === -Infinity) return this.#load().then(() => this.acceptsUntagged());
    return this.#clock.now() < this.#untaggedUntil;
  }

  #add(period: number): Promise<Uint8Array> {
    let adding = this.#adding.get(period);
    if (adding === undefined) {
      adding = this.#addNow(period).finally(() => this.#adding.delete(period));
      this.#adding.set(period, adding);
    }
    return adding;
  }

  async #addNow(period: number): Promise<Uint8Array> {
    // A token written at the end of the period is valid for the longest lifetime of a session.
    const forgetAt = (period + 2) * PERIOD_MS + this.#sessionTtlMs;
    const candidate = { period, secret: new Uint8Array(randomBytes(KEY_BYTES)) };
    return this.#keep(period, await this.#store.addTagKey(candidate, forgetAt));
  }

  #load(): Promise<void> {
    return this.#loading ??= this.#loadNow().finally(() => this.#loading = undefined);
  }

  async #loadNow(): Promise<void> {
    const now = this.#clock.now();
    // Storing the first key decides whether untagged tokens are accepted.
    await this.current();
    const { keys, untaggedSince = -Infinity } = await this.#store.tagKeys();
    for (const { period, secret } of keys) this.#keep(period, secret);
    this.#untaggedUntil = untaggedSince + this.#sessionTtlMs;
    this.#loadedAt = now;
  }

  #keep(period: number, secret: Uint8Array): Uint8Array {
    const key = Buffer.from(secret);
    this.#keys.set(period, key);
    return key;
  }
}

function periodAt(time: number): number {
  return Math.floor(time / PERIOD_MS);
}
