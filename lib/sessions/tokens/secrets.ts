import { createHash, createHmac, randomBytes } from "node:crypto";

const ID = /^[A-Za-z0-9_-]{16}$/;
const SECRET = /^[A-Za-z0-9_-]{43}$/;

/**
 * How long the previous secret stays valid after the new one is first seen, in milliseconds: for
 * requests already sent with it.
 */
const SEEN_GRACE_MS = 10_000;

/** Most hashes of replaced secrets kept per session. */
const MAX_SPENT = 32;

/**
 * The stored data of a session's secrets. The secrets themselves are not stored.
 *
 * @internal
 */
export interface StoredSecrets {
  /** SHA-256 of the token's secret, in base64url. */
  readonly secretHash: string;
  /** When it got this secret, in milliseconds since the epoch; undefined for its first secret. */
  readonly secretSince?: number | undefined;
  /** The hash of the previous secret, after a rotation. */
  readonly previousHash?: string | undefined;
  /**
   * Until when the previous secret is valid too, in milliseconds since the epoch. Undefined: until
   * a request uses the new one.
   */
  readonly previousUntil?: number | undefined;
  /**
   * The salt that derived the secret from the previous one; kept until the new secret is seen, to
   * derive it again if the response was lost. Random, and useless without the previous secret.
   */
  readonly renewalSalt?: string | undefined;
  /** Hashes of secrets that are certainly replaced, newest last. */
  readonly spentHashes?: readonly string[] | undefined;
}

/** A parsed token; `SessionTokens` writes and reads tokens. */
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
  return typeof id === "string" && ID.test(id);
}

/** Returns whether `secret` has the shape of a {@linkcode randomSecret}. */
export function isSecret(secret: string): boolean {
  return SECRET.test(secret);
}

/**
 * What a secret proves. `current`: the session. `unseen`: the session, and that its owner received
 * the new secret. `previous`: the session, by the previous secret, which is still valid. `spent`:
 * that a copy of a replaced secret is in use. `none`: nothing.
 */
export type SecretProof = "current" | "unseen" | "previous" | "spent" | "none";

/** Returns what a secret proves about a session. */
export function proofOf(stored: StoredSecrets, secret: string, now: number): SecretProof {
  const hash = hashSecret(secret);
  const { secretHash, previousHash, previousUntil = Infinity, spentHashes = [] } = stored;
  if (isSameText(hash, secretHash)) return hasUnseen(stored) ? "unseen" : "current";
  if (previousHash !== undefined && now < previousUntil && isSameText(hash, previousHash)) {
    return "previous";
  }
  return spentHashes.some((spent) => isSameText(hash, spent)) ? "spent" : "none";
}

/**
 * Returns the secrets after a request used the current one: the previous one is valid for 10 s
 * more.
 */
export function markSeen<T extends StoredSecrets>(stored: T, now: number): T {
  const { previousHash, previousUntil = Infinity } = stored;
  if (previousHash === undefined || !hasUnseen(stored)) return stored;
  return {
    ...stored,
    previousUntil: Math.min(previousUntil, now + SEEN_GRACE_MS),
    renewalSalt: undefined,
    spentHashes: [...stored.spentHashes ?? [], previousHash].slice(-MAX_SPENT),
  };
}

/**
 * Returns the secrets with a new one, which {@linkcode renewedSecret} derives from `secret`, the
 * current one. The current one stays valid until the new one is seen.
 */
export function renewSecrets<T extends StoredSecrets>(stored: T, secret: string, now: number): T {
  const seen = markSeen(stored, now); // A client that has the current secret received it.
  const renewalSalt = randomSecret();
  return {
    ...seen,
    secretHash: hashSecret(derive(secret, renewalSalt)),
    secretSince: now,
    previousHash: seen.secretHash,
    previousUntil: undefined,
    renewalSalt,
  };
}

/**
 * Returns the secret that replaces `secret`, if `secret` was just renewed and the new one is
 * unseen; the result is always the same. Undefined for any other secret.
 */
export function renewedSecret(stored: StoredSecrets, secret: string): string | undefined {
  const { previousHash, renewalSalt } = stored;
  if (previousHash === undefined || renewalSalt === undefined) return undefined;
  return isSameText(hashSecret(secret), previousHash) ? derive(secret, renewalSalt) : undefined;
}

/**
 * Returns the secrets with `secret` as the new one; the previous one is valid until
 * `previousUntil`.
 */
export function replaceSecret<T extends StoredSecrets>(
  stored: T,
  secret: string,
  { now, previousUntil }: { now: number; previousUntil: number },
): T {
  return {
    ...stored,
    secretHash: hashSecret(secret),
    secretSince: now,
    previousHash: stored.secretHash,
    previousUntil,
    renewalSalt: undefined,
  };
}

/**
 * *Security*: needs both the previous secret, which the store does not have, and the salt, which
 * only the store has.
 */
function derive(secret: string, salt: string): string {
  return createHmac("sha256", secret).update(`sluice session ${salt}`).digest("base64url");
}

function hasUnseen({ previousHash, spentHashes = [] }: StoredSecrets): boolean {
  return previousHash !== undefined && !spentHashes.includes(previousHash);
}
