import { createHash, randomBytes } from "node:crypto";

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

/** Returns whether `id` has the shape of a {@linkcode randomId}. */
export function isId(id: unknown): id is string {
  return typeof id === "string" && id.length === ID_LENGTH && ID.test(id);
}

/** Returns whether `secret` has the shape of a {@linkcode randomSecret}. */
export function isSecret(secret: string): boolean {
  return SECRET.test(secret);
}

const ID_LENGTH = 16;
const ID = /^[A-Za-z0-9_-]{16}$/;
const SECRET = /^[A-Za-z0-9_-]{43}$/;
