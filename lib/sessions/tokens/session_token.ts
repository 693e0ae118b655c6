import { createHash, randomBytes } from "node:crypto";
import { andThen } from "../../core/promises.ts";
import type { TagKey, TagKeys } from "./tag_keys.ts";

const ID_LENGTH = 16;
const ID = /^[A-Za-z0-9_-]{16}$/;
const SECRET = /^[A-Za-z0-9_-]{43}$/;
const UNTAGGED_LENGTH = ID_LENGTH + 1 + 43;
/** Base 36: enough for a few thousand years of days. */
const PERIOD_LENGTH = 4;
/** Base64url: 72 bits. */
const MAC_LENGTH = 12;
const TOKEN_LENGTH = UNTAGGED_LENGTH + PERIOD_LENGTH + MAC_LENGTH;
const TOKEN = /^[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$/;

/** A parsed token; {@linkcode SessionTokens} writes and reads tokens. */
export interface SessionToken {
  /** The id of its session; not a secret. */
  readonly id: string;
  /** The secret that proves the session. */
  readonly secret: string;
}

/** Returns a new random id: short, URL-safe and not a secret; 96 bits, 16 characters. */
export function randomId(): string {
  return randomBytes(12).toString("base64url");
}

/** Returns a new random secret: 256 bits, 43 characters of base64url. */
export function randomSecret(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * Returns the hash that is stored instead of a secret: SHA-256 in base64url.
 *
 * *Security*: no salt and no slow hash, because the secret has 256 random bits.
 */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** Returns whether `secret` matches a hash, in constant time. */
export function matchesHash(secret: string, hash: string): boolean {
  return isSameText(hashSecret(secret), hash);
}

/** Compares every character, like `timingSafeEqual` but without allocating two buffers. */
export function isSameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index++) {
    difference |= a.charCodeAt(index) ^ b.charCodeAt(index);
  }
  return difference === 0;
}

/**
 * Returns whether `id` has the shape of a {@linkcode randomId}.
 */
export function isId(id: unknown): id is string {
  return typeof id === "string" && id.length === ID_LENGTH && ID.test(id);
}

/** Returns whether `secret` has the shape of a {@linkcode randomSecret}. */
export function isSecret(secret: string): boolean {
  return SECRET.test(secret);
}

/**
 * Writes and reads session tokens: `id.secret` followed by a tag, which is the period of its key
 * and a MAC over period, id and secret: the first 72 bits of SHA-256 over the key and the text.
 *
 * That is as strong as HMAC here, and costs less than half: every text has the same length, and
 * without the other 184 bits no hash can be extended (Bellare, Bernstein and Tessaro, "Hash-Function
 * Based PRFs: AMAC and Its Multi-User Security", 2016).
 *
 * *Security*: the tag proves only that a server wrote the token, which saves a read of the store
 * for forged ones. The secret proves the session. Tokens of sessions that began before tags existed
 * have none; they are accepted for as long as those sessions can live.
 */
export class SessionTokens {
  readonly #keys: TagKeys;

  constructor(keys: TagKeys) {
    this.#keys = keys;
  }

  /** Writes a token. Rejects if there is no key yet and the store cannot be reached. */
  async write(token: SessionToken): Promise<string> {
    return `${token.id}.${token.secret}${tagOf(token, await this.#keys.current())}`;
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
      return andThen(this.#keys.acceptsUntagged(), (isAccepted) => isAccepted ? parts : undefined);
    }
    if (token.length !== TOKEN_LENGTH) return undefined;
    const tag = token.slice(UNTAGGED_LENGTH);
    const period = parseInt(tag.slice(0, PERIOD_LENGTH), 36);
    if (Number.isNaN(period)) return undefined;
    return andThen(
      this.#keys.find(period),
      (key) => key && isSameText(tag, tagOf(parts, { period, secret: key })) ? parts : undefined,
    );
  }
}

function tagOf({ id, secret }: SessionToken, key: TagKey): string {
  const period = key.period.toString(36).padStart(PERIOD_LENGTH, "0");
  const mac = createHash("sha256").update(key.secret).update(`${period}.${id}.${secret}`);
  return period + mac.digest("base64url").slice(0, MAC_LENGTH);
}
