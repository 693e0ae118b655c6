import { Buffer } from "node:buffer";
import type { KvEntry, KvKey, KvResult } from "../kv_entry.ts";

/** Most bytes of a value, by the size of {@linkcode copyValue}. */
const MAX_VALUE_BYTES = 65_000;

/** Most levels of arrays and objects in a value. */
const MAX_DEPTH = 200;

/** A copied value and its size. */
export interface CopiedValue {
  /** The copy. */
  readonly value: unknown;
  /** An upper bound of its bytes in all drivers. */
  readonly size: number;
}

/** Bytes that a value or a property takes besides its text. */
const OVERHEAD = 10;

/**
 * Copies a value that every driver stores and returns in the same form: null, booleans, finite
 * numbers, strings, `Uint8Array`, arrays and plain objects of them. Properties that are `undefined`
 * are left out, and -0 becomes 0.
 *
 * A string counts one byte per character, or two if it has characters beyond U+00FF.
 *
 * @throws {TypeError} The value contains something else, or is nested deeper than 200 levels.
 * @throws {RangeError} The value is larger than 65,000 bytes.
 */
export function copyValue(value: unknown): CopiedValue {
  const copier = new Copier();
  const copy = copier.copy(value, 0);
  return { value: copy, size: copier.size };
}

/** Encodes a copied value as JSON text. Bytes become `{"$bytes": BASE64}`. */
export function encodeValue(value: unknown): string {
  return JSON.stringify(hasMarks(value) ? mark(value) : value);
}

/** Decodes the text of {@linkcode encodeValue}. */
function decodeValue(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return text.includes('"$') ? unmark(value) : value;
}

/** Returns the result of reading a key: its stored text and the number of the write, if it has any. */
export function resultOf(
  key: KvKey,
  stored: { readonly value: unknown; readonly version: unknown } | undefined,
): KvResult {
  return stored === undefined ? { key, value: undefined, version: null } : entryOf(key, stored);
}

/** Returns a stored entry from its text and the number of the write. */
export function entryOf(
  key: KvKey,
  { value, version }: { readonly value: unknown; readonly version: unknown },
): KvEntry {
  return { key, value: decodeValue(String(value)), version: versionOf(version) };
}

/** Returns the version of the n-th write: a string that sorts as the number. */
export function versionOf(n: unknown): string {
  return String(n).padStart(20, "0");
}

class Copier {
  size = 0;

  copy(value: unknown, depth: number): unknown {
    this.#add(OVERHEAD);
    if (typeof value === "string") return this.#string(value);
    if (value === null || typeof value === "boolean") return value;
    if (typeof value === "number" && Number.isFinite(value)) return value + 0;
    if (value instanceof Uint8Array) return this.#bytes(value);
    if (depth === MAX_DEPTH) {
      throw new TypeError(`Cannot store a value that is nested deeper than ${MAX_DEPTH} levels`);
    }
    if (Array.isArray(value)) return Array.from(value, (item) => this.copy(item, depth + 1));
    if (isPlain(value)) return this.#object(value, depth);
    throw new TypeError("Cannot store a value that is neither JSON nor bytes");
  }

  #object(value: object, depth: number): object {
    const properties = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(properties.map(([name, item]) => {
      this.#add(OVERHEAD);
      return [this.#string(name), this.copy(item, depth + 1)];
    }));
  }

  #string(text: string): string {
    // deno-lint-ignore no-control-regex
    this.#add(/[^\x00-\xff]/.test(text) ? 2 * text.length : text.length);
    return text;
  }

  #bytes(value: Uint8Array): Uint8Array {
    this.#add(value.length);
    return new Uint8Array(value);
  }

  #add(size: number): void {
    this.size += size;
    if (this.size <= MAX_VALUE_BYTES) return;
    throw new RangeError(`Cannot store a value of more than ${MAX_VALUE_BYTES} bytes`);
  }
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Returns whether a value has bytes, or property names that {@linkcode mark} must change. */
function hasMarks(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof Uint8Array) return true;
  if (Array.isArray(value)) return value.some(hasMarks);
  return Object.entries(value).some(([name, item]) => name.startsWith("$") || hasMarks(item));
}

/** Replaces bytes, and puts a `$` before names that begin with one. */
function mark(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(mark);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name.startsWith("$") ? `$${name}` : name,
      mark(item),
    ]),
  );
}

function unmark(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(unmark);
  const properties = Object.entries(value);
  const [only] = properties;
  if (only?.[0] === "$bytes") return new Uint8Array(Buffer.from(String(only[1]), "base64"));
  return Object.fromEntries(properties.map(([name, item]) => [
    name.startsWith("$") ? name.slice(1) : name,
    unmark(item),
  ]));
}
