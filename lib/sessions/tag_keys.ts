import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { Clock } from "../scope.ts";
import type { SessionStore } from "./session_store.ts";

/** A key that tags session tokens: there is one for each period. */
export interface TagKey {
  /** The day it is made for, counted from the epoch; not a secret. */
  readonly period: number;
  /** *Security*: with it, anybody can write tokens that cost a read. Never log it. */
  readonly secret: Uint8Array;
}

/** What a store knows of keys. */
export interface StoredTagKeys {
  readonly keys: readonly TagKey[];
  /**
   * When the first key was made, in milliseconds since the epoch, if the store had sessions already:
   * their tokens have no tag.
   */
  readonly untaggedSince: number | undefined;
}

const PERIOD_MS = 24 * 3_600_000;

/** How far the clocks of two processes may differ, in milliseconds. */
const CLOCK_SKEW_MS = 300_000;

const KEY_BYTES = 32;

/**
 * The keys that tag session tokens: one for each day, shared by all processes over one store.
 *
 * The process that needs a day's key first makes it; the store keeps the first one. So every process
 * knows which keys can exist: a token with the name of any other key is refused without a read, and a
 * process reads the store at most once for each day, whatever it is sent.
 */
export class TagKeys {
  readonly #store: Pick<SessionStore, "tagKeys" | "addTagKey">;
  readonly #clock: Clock;
  readonly #sessionTtlMs: number;
  readonly #keys = new Map<number, Uint8Array>();
  readonly #adding = new Map<number, Promise<Uint8Array>>();
  #loading: Promise<void> | undefined;
  #loadedAt = -Infinity;
  #untaggedUntil = -Infinity;

  /** @param options.sessionTtlMs How long the session of a token lives at most, in milliseconds. */
  constructor(
    store: Pick<SessionStore, "tagKeys" | "addTagKey">,
    options: { clock: Clock; sessionTtlMs: number },
  ) {
    this.#store = store;
    this.#clock = options.clock;
    this.#sessionTtlMs = options.sessionTtlMs;
  }

  /** Returns the key of today. */
  async current(): Promise<TagKey> {
    const period = periodAt(this.#clock.now());
    return { period, secret: this.#keys.get(period) ?? await this.#add(period) };
  }

  /** Returns the key of a period, in the same turn if no read is needed. Undefined if there is none. */
  find(period: number): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const known = this.#keys.get(period);
    if (known !== undefined) return known;
    const now = this.#clock.now();
    if (period > periodAt(now + CLOCK_SKEW_MS)) return undefined;
    if (period >= periodAt(now - CLOCK_SKEW_MS)) return this.#add(period);
    // A period that was over when the keys were read gets no key any more.
    if (period < periodAt(this.#loadedAt - CLOCK_SKEW_MS)) return undefined;
    return this.#load().then(() => this.#keys.get(period));
  }

  /** Whether a token without a tag may belong to a session; in the same turn if no read is needed. */
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
    // A token of the last moment may belong to a session as long as one lives.
    const forgetAt = (period + 2) * PERIOD_MS + this.#sessionTtlMs;
    const candidate = { period, secret: new Uint8Array(randomBytes(KEY_BYTES)) };
    return this.#keep(period, await this.#store.addTagKey(candidate, forgetAt));
  }

  #load(): Promise<void> {
    return this.#loading ??= this.#loadNow().finally(() => this.#loading = undefined);
  }

  async #loadNow(): Promise<void> {
    const now = this.#clock.now();
    // The store decides about tokens without a tag when it gets its first key.
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
