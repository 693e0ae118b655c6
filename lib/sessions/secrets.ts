import { createHmac } from "node:crypto";
import type { StoredSecrets } from "./session_store.ts";
import { hashSecret, isSameText, randomSecret } from "./session_token.ts";

/**
 * How long the secret before is good after the new one was first seen, in milliseconds: for requests
 * that were sent with it before.
 */
const SEEN_GRACE_MS = 10_000;

/** Hashes of replaced secrets that are kept for each session. */
const MAX_SPENT = 32;

/**
 * What a secret proves. `current`: the session. `unseen`: the session, and that its owner got the new
 * secret. `previous`: the session, with the secret before, which is still good. `spent`: that somebody
 * uses a copy of a secret that was replaced. `none`: nothing.
 */
export type SecretProof = "current" | "unseen" | "previous" | "spent" | "none";

/** Returns what a secret proves of a session. */
export function proofOf(stored: StoredSecrets, secret: string, now: number): SecretProof {
  const hash = hashSecret(secret);
  const { secretHash, previousHash, previousUntil = Infinity, spentHashes = [] } = stored;
  if (isSameText(hash, secretHash)) return hasUnseen(stored) ? "unseen" : "current";
  if (previousHash !== undefined && now < previousUntil && isSameText(hash, previousHash)) {
    return "previous";
  }
  return spentHashes.some((spent) => isSameText(hash, spent)) ? "spent" : "none";
}

/** Returns secrets after the current one was seen in a request: the one before is good for 10 s more. */
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
 * Returns secrets with a new one, which {@linkcode renewedSecret} derives from `secret`, the current
 * one. That stays good until the new one was seen.
 */
export function renewSecrets<T extends StoredSecrets>(stored: T, secret: string, now: number): T {
  const seen = markSeen(stored, now); // Whoever has the current one was given it.
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
 * Returns the secret that replaces `secret`, if that was just renewed and the new one was not seen yet:
 * always the same. Undefined for any other secret.
 */
export function renewedSecret(stored: StoredSecrets, secret: string): string | undefined {
  const { previousHash, renewalSalt } = stored;
  if (previousHash === undefined || renewalSalt === undefined) return undefined;
  return isSameText(hashSecret(secret), previousHash) ? derive(secret, renewalSalt) : undefined;
}

/** Returns secrets with `secret` as a new one; the one before is good until `previousUntil`. */
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
 * *Security*: needs both the secret before, which the store does not have, and the salt, which nobody
 * else has.
 */
function derive(secret: string, salt: string): string {
  return createHmac("sha256", secret).update(`sluice session ${salt}`).digest("base64url");
}

function hasUnseen({ previousHash, spentHashes = [] }: StoredSecrets): boolean {
  return previousHash !== undefined && !spentHashes.includes(previousHash);
}
