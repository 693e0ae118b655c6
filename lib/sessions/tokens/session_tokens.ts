import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { andThen } from "../../core/promises.ts";
import type { SessionStore } from "../session_store.ts";
import { isSameText, type SessionToken } from "./secrets.ts";

const ID_LENGTH = 16;
const UNTAGGED_LENGTH = ID_LENGTH + 1 + 43;
/** Base 36: enough for a few thousand years of days. */
const PERIOD_LENGTH = 4;
/** Base64url: 72 bits. */
const MAC_LENGTH = 12;
const TOKEN_LENGTH = UNTAGGED_LENGTH + PERIOD_LENGTH + MAC_LENGTH;
const TOKEN = /^[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$/;

const PERIOD_MS = 24 * 3_600_000;

/** Largest clock difference between two processes, in milliseconds. */
const CLOCK_SKEW_MS = 300_000;

const KEY_BYTES = 32;

/** A key that tags session tokens; one per period. */
export type TagKey = Parameters<SessionStore["addTagKey"]>[0];

/**
 * Writes and reads session tokens: `id.secret` followed by a tag, which is the period of its key
 * and a MAC over period, id and secret: the first 72 bits of SHA-256 over the key and the text.
 *
 * That is as strong as HMAC here, and costs less than half: every text has the same length, and
 * without the other 184 bits no hash can be extended (Bellare, Bernstein and Tessaro, "Hash-Function
 * Based PRFs: AMAC and Its Multi-User Security", 2016).
 *
 * There is one key per day, shared by all processes with the same store: the first process that needs
 * it creates it, and the store keeps the first one. So every process knows which keys can exist: it
 * refuses a token with any other key id without a read, and reads the store at most once per day,
 * regardless of the tokens it receives.
 *
 * *Security*: the tag proves only that a server wrote the token, which saves a read of the store
 * for forged ones. The secret proves the session. Tokens of sessions that began before tags existed
 * have none; they are accepted for as long as those sessions can live.
 */
export class SessionTokens {
  readonly #store: Pick<SessionStore, "addTagKey" | "tagKeys">;
  readonly #clock: Clock;
  readonly #sessionTtlMs: number;
  readonly #keys = new Map<number, Uint8Array>();
  readonly #adding = new Map<number, Promise<Uint8Array>>();
  #loading: Promise<void> | undefined;
  #loadedAt = -Infinity;
  #untaggedUntil = -Infinity;

  /** @param options.sessionTtlMs The longest lifetime of a session, in milliseconds. */
  constructor(
    store: Pick<SessionStore, "addTagKey" | "tagKeys">,
    options: { clock: Clock; sessionTtlMs: number },
  ) {
    this.#store = store;
    this.#clock = options.clock;
    this.#sessionTtlMs = options.sessionTtlMs;
  }

  /** Writes a token. Rejects if there is no key yet and the store cannot be reached. */
  async write(token: SessionToken): Promise<string> {
    return `${token.id}.${token.secret}${tagOf(token, await this.#current())}`;
  }

  /**
   * Parses a token, synchronously unless a key must be read. Returns undefined if no server with
   * this store wrote it.
   */
  read(token: string | undefined): SessionToken | undefined | Promise<SessionToken | undefined> {
    if (token === undefined || token.length > TOKEN_LENGTH || !TOKEN.test(token)) return undefined;
    const secret = token.slice(ID_LENGTH + 1, UNTAGGED_LENGTH);
    const parts = { id: token.slice(0, ID_LENGTH), secret };
    if (token.length === UNTAGGED_LENGTH) {
      return andThen(this.#acceptsUntagged(), (isAccepted) => isAccepted ? parts : undefined);
    }
    if (token.length !== TOKEN_LENGTH) return undefined;
    const tag = token.slice(UNTAGGED_LENGTH);
    const period = parseInt(tag.slice(0, PERIOD_LENGTH), 36);
    if (Number.isNaN(period)) return undefined;
    return andThen(
      this.findKey(period),
      (key) => key && isSameText(tag, tagOf(parts, { period, secret: key })) ? parts : undefined,
    );
  }

  /** Reads the keys of the store once. */
  async prepare(): Promise<void> {
    if (this.#loadedAt === -Infinity) await this.#load();
  }

  /** Returns the newest keys that this process knows, the newest first. Reads nothing. */
  newestKeys(count: number): TagKey[] {
    const periods = [...this.#keys.keys()].sort((a, b) => b - a).slice(0, count);
    return periods.map((period) => ({ period, secret: this.#keys.get(period)! }));
  }

  /** Returns the key of a period if this process knows it. Reads nothing. */
  knownKey(period: number): Uint8Array | undefined {
    return this.#keys.get(period);
  }

  /** Returns the key of a period, or undefined; synchronously if no read is needed. */
  findKey(period: number): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const known = this.#keys.get(period);
    if (known !== undefined) return known;
    const now = this.#clock.now();
    if (period > periodAt(now + CLOCK_SKEW_MS)) return undefined;
    if (period >= periodAt(now - CLOCK_SKEW_MS)) return this.#add(period);
    // A period that had ended when the keys were read never gets a key.
    if (period < periodAt(this.#loadedAt - CLOCK_SKEW_MS)) return undefined;
    return this.#load().then(() => this.#keys.get(period));
  }

  /** Returns today's key. */
  async #current(): Promise<TagKey> {
    const period = periodAt(this.#clock.now());
    return { period, secret: this.#keys.get(period) ?? await this.#add(period) };
  }

  /** Returns whether an untagged token may belong to a session; synchronously if no read is needed. */
  #acceptsUntagged(): boolean | Promise<boolean> {
    if (this.#loadedAt === -Infinity) return this.#load().then(() => this.#acceptsUntagged());
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
    await this.#current();
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

function tagOf({ id, secret }: SessionToken, key: TagKey): string {
  const period = key.period.toString(36).padStart(PERIOD_LENGTH, "0");
  const mac = createHash("sha256").update(key.secret).update(`${period}.${id}.${secret}`);
  return period + mac.digest("base64url").slice(0, MAC_LENGTH);
}
