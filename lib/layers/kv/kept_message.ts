import type { Clock } from "../../core/clock.ts";
import type { KvEntry } from "../../kv/mod.ts";
import type { StoredFrame } from "./kv_frames.ts";

/** The lease of a message. */
export interface KvLease {
  /** The request that leased the message; empty if the message was released. */
  readonly token: string;
  /** When the lease ends, by the clock of the host that leased the message. */
  readonly until: number;
  readonly attempts: number;
}

/** A message of a durable channel, as it is stored. */
export interface KeptMessage {
  readonly stored: StoredFrame;
  /** When the message expires if it is never leased. The database deletes it later. */
  readonly expiresAt: number;
  readonly lease?: KvLease;
}

/** A stored message with its key and version. */
export type KeptEntry = KvEntry<KeptMessage>;

/** Returns whether a reader holds a message. */
export function isLeased({ lease }: KeptMessage, now: number): boolean {
  return lease !== undefined && lease.until > now;
}

/** Returns whether a message has expired. Its expiry restarts when its lease ends. */
export function isExpired(
  { lease, expiresAt }: KeptMessage,
  { expiryMs, clock }: { readonly expiryMs: number; readonly clock: Clock },
): boolean {
  return (lease === undefined ? expiresAt : lease.until + expiryMs) <= clock.now();
}
