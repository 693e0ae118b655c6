import { createHmac } from "node:crypto";
import type { SessionEvent } from "../session.ts";
import type { TagKey, TagKeys } from "../tokens/tag_keys.ts";
import { isSameText } from "../tokens/session_token.ts";

/** Keys that sign an event: a process may not know that of today yet. */
const MAX_SIGNATURES = 2;

/** An event that ends sessions. */
export type EndingEvent = SessionEvent & { readonly type: "ended" | "user-ended" };

/**
 * Signs the events that end sessions, with the keys that all processes with the same store share and
 * keep in memory. So a process can believe an event while the database cannot be reached.
 *
 * *Security*: access to the channel layer is not enough to sign. A repeated event has no effect:
 * the id of a session is never used again, and the event of a user concerns only sessions that are
 * older than the event.
 */
export class EventSignatures {
  readonly #keys: TagKeys;

  constructor(keys: TagKeys) {
    this.#keys = keys;
  }

  /** Reads the keys, so that events can be verified without the database later on. */
  prepare(): void {
    // Without keys, events are confirmed by the database alone.
    this.#keys.prepare().catch(() => {});
  }

  /** Signs an event with the newest keys. Reads nothing. */
  sign(event: EndingEvent): string[] {
    return this.#keys.newest(MAX_SIGNATURES).map((key) => signatureOf(event, key));
  }

  /** Returns whether a process with the same store has signed an event. Never rejects. */
  async verify(event: EndingEvent, signatures: unknown): Promise<boolean> {
    const shown = readSignatures(signatures);
    for (const { period, signature } of shown) {
      const secret = this.#keys.known(period);
      if (secret) return isSameText(signature, signatureOf(event, { period, secret }));
    }
    for (const { period, signature } of shown) {
      const secret = await Promise.resolve(this.#keys.find(period)).catch(() => undefined);
      if (secret) return isSameText(signature, signatureOf(event, { period, secret }));
    }
    return false;
  }
}

function signatureOf(event: EndingEvent, { period, secret }: TagKey): string {
  const { type, userId, reason } = event;
  const subject = type === "ended" ? event.sessionId : event.at ?? null;
  const text = JSON.stringify(["sluice.session", type, userId, reason, subject]);
  return `${period}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

function readSignatures(value: unknown): { period: number; signature: string }[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_SIGNATURES)
    .filter((signature) => typeof signature === "string")
    .map((signature) => ({ period: parseInt(signature, 10), signature }))
    .filter(({ period }) => !Number.isNaN(period));
}
