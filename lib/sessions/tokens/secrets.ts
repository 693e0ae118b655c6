import { createHmac } from "node:crypto";
import type { StoredSecrets } from "../session_record.ts";
import { hashSecret, isSameText, randomSecret } from "./session_token.ts";

/**
 * How long the previous secret stays valid after the new one is first seen, in milliseconds: for
 * requests already sent with it.
 */
const SEEN_GRACE_MS = 10_000;

/** Most hashes of replaced secrets kept per session. */
const MAX_SPENT = 32;

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
