import { Buffer } from "node:buffer";
import type { KvEntry, KvKey, KvListOptions, KvPage, KvRange } from "./key_value.ts";
import { decodeKey, encodeKey, encodePrefix, endOfPrefix } from "./format/key_codec.ts";

/** Most entries in a page. */
const MAX_PAGE = 1_000;

/** A checked request for one page: all entries with `from <= key < to`, by their encoded keys. */
export interface ListRequest {
  /** The requested range. */
  readonly range: KvRange;
  /** The last key of the previous page. */
  readonly last: KvKey | undefined;
  /** The first encoded key, included. */
  readonly from: Uint8Array;
  /** The encoded key after the last one, excluded. */
  readonly to: Uint8Array;
  /** Most entries. */
  readonly limit: number;
  /** Whether the greatest keys come first. */
  readonly reverse: boolean;
}

/**
 * Checks the arguments of {@linkcode KeyValue.list}.
 *
 * @throws {RangeError} The limit is out of range, or `start` or `end` lies outside of the prefix.
 * @throws {TypeError} A key or the cursor is invalid.
 */
export function listRequest(range: KvRange, options: KvListOptions): ListRequest {
  const { limit = 100, reverse = false, cursor } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    throw new RangeError(`Cannot list ${limit} entries: the limit is 1 to ${MAX_PAGE}`);
  }
  const prefix = encodePrefix(range.prefix);
  // A key with the prefix is longer, and its next byte is above 1.
  const start = boundOf(range.start, prefix) ?? Buffer.concat([prefix, Buffer.of(1)]);
  const end = boundOf(range.end, prefix) ?? endOfPrefix(prefix);
  const last = cursor === undefined ? undefined : decodeCursor(cursor, prefix);
  return {
    range,
    last: last && decodeKey(last),
    from: last === undefined || reverse ? start : Buffer.concat([last, Buffer.of(0)]),
    to: last === undefined || !reverse ? end : last,
    limit,
    reverse,
  };
}

/** Returns whether no key is in the range. */
export function isEmpty({ from, to }: ListRequest): boolean {
  return Buffer.compare(from, to) >= 0;
}

/** Returns the page of some entries: at most `limit` of them. */
export function pageOf(entries: readonly KvEntry[], { limit }: ListRequest): KvPage {
  const last = entries.length < limit ? undefined : entries.at(-1);
  return { entries, cursor: last && encodeCursor(last.key) };
}

function boundOf(key: KvKey | undefined, prefix: Uint8Array): Uint8Array | undefined {
  if (key === undefined) return undefined;
  const bytes = encodeKey(key);
  if (startsWith(bytes, prefix) && bytes.length > prefix.length) return bytes;
  throw new RangeError("Cannot list entries: start and end must be longer than the prefix");
}

function encodeCursor(key: KvKey): string {
  return Buffer.from(encodeKey(key)).toString("base64url");
}

function decodeCursor(cursor: string, prefix: Uint8Array): Uint8Array {
  try {
    const bytes = encodeKey(decodeKey(Buffer.from(cursor, "base64url")));
    if (startsWith(bytes, prefix)) return bytes;
  } catch {
    // Falls through to the error.
  }
  throw new TypeError("Cannot list entries: the cursor does not belong to this range");
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, prefix.length), prefix) === 0;
}
