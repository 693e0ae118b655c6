import { type Clock, systemClock } from "../core/clock.ts";
import type { StreamReadOptions } from "./stream_store.ts";

/**
 * Options that all stream stores have.
 *
 * @internal
 */
export interface StreamStoreOptions {
  /** How many messages a stream keeps: the newest. @default {1_000} */
  readonly maxMessages?: number;
  /** How long a message is kept, in milliseconds. @default {2_592_000_000}: 30 days */
  readonly maxAgeMs?: number;
  /** How many bytes of JSON a stream keeps. @default {16_777_216}: 16 MiB */
  readonly maxBytes?: number;
  /** Largest message, in bytes of JSON. @default {60_000} */
  readonly maxMessageBytes?: number;
  /** How long keys are remembered, in milliseconds. @default {600_000}: 10 minutes */
  readonly keyWindowMs?: number;
  /** The clock of ages and windows. @default {systemClock} */
  readonly clock?: Clock;
}

/** Checked options, with defaults. */
export type StreamSettings = Required<StreamStoreOptions>;

/** How long a claim holds without renewal, in milliseconds. */
export const CLAIM_MS = 10_000;

/** Longest key, in characters. */
export const MAX_KEY_LENGTH = 512;

/** Largest value of `limit` in a read. */
export const MAX_READ = 500;

/** Returns the options with defaults. @throws {RangeError} A number is out of range. */
export function streamSettings(options: StreamStoreOptions): StreamSettings {
  return {
    maxMessages: positive("maxMessages", options.maxMessages ?? 1_000),
    maxAgeMs: positive("maxAgeMs", options.maxAgeMs ?? 30 * 86_400_000),
    maxBytes: positive("maxBytes", options.maxBytes ?? 16 * 2 ** 20),
    maxMessageBytes: positive("maxMessageBytes", options.maxMessageBytes ?? 60_000),
    keyWindowMs: positive("keyWindowMs", options.keyWindowMs ?? 600_000),
    clock: options.clock ?? systemClock,
  };
}

/** A checked read. */
export interface StreamRead {
  readonly after: number | undefined;
  readonly before: number | undefined;
  readonly limit: number;
  readonly maxBytes: number;
}

/** Checks the options of a read. @throws {RangeError} A number is out of range, or both ends are given. */
export function streamRead(options: StreamReadOptions): StreamRead {
  const { after, before, limit = 100, maxBytes = 262_144 } = options;
  if (after !== undefined && before !== undefined) {
    throw new RangeError("Cannot read both after and before an offset");
  }
  for (const offset of [after, before]) {
    if (offset === undefined || (Number.isSafeInteger(offset) && offset >= 0)) continue;
    throw new RangeError(`Cannot read at the offset ${offset}: it must be an integer from 0`);
  }
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_READ) {
    throw new RangeError(`Cannot read ${limit} messages: the limit is 1 to ${MAX_READ}`);
  }
  return { after, before, limit, maxBytes: positive("maxBytes", maxBytes) };
}

/** The inclusive range of offsets that a read covers; empty if `from > to`. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

/** Returns the offsets that a read covers in a stream of this extent. */
export function rangeOf(read: StreamRead, { first, offset }: OffsetExtent): OffsetRange {
  const { after, before, limit } = read;
  if (after !== undefined) {
    const from = Math.max(after + 1, first);
    return { from, to: Math.min(offset, from + limit - 1) };
  }
  const to = Math.min(offset, (before ?? Infinity) - 1);
  return { from: Math.max(first, to - limit + 1), to };
}

/** The offsets of the oldest kept and the newest message. */
export interface OffsetExtent {
  readonly first: number;
  readonly offset: number;
}

/** Checks a key. @throws {TypeError} It is empty or too long. */
export function assertKey(key: string): void {
  if (typeof key === "string" && key.length > 0 && key.length <= MAX_KEY_LENGTH) return;
  throw new TypeError(`A key must have 1 to ${MAX_KEY_LENGTH} characters`);
}

/** Returns a new epoch: unique, and impossible to guess. */
export function newEpoch(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(`${name} must be a positive number, not ${value}`);
}
