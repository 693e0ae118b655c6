import { Buffer } from "node:buffer";
import type { KvKey } from "../kv_entry.ts";

/** Most bytes of an encoded key. */
const MAX_KEY_BYTES = 2_048;

/** Marks a string. Its bytes follow, with 0 as `0 255`, and end with 0. */
const STRING = 0x02;

/** Marks a number. Its eight bytes follow. */
const NUMBER = 0x21;

/**
 * Encodes a key as bytes whose order is the order of keys: strings before numbers, strings by their
 * UTF-8 bytes, numbers by value, and a key before longer ones that begin with it. Deno KV orders its
 * keys in the same way.
 *
 * @throws {TypeError} A part is no well-formed string and no finite number.
 * @throws {RangeError} The key takes more than 2,048 bytes, or has no parts.
 */
export function encodeKey(key: KvKey): Uint8Array {
  if (key.length === 0) throw new RangeError("Cannot use a key without parts");
  return encodePrefix(key);
}

/** Encodes a prefix, which may be empty. @throws {TypeError} @throws {RangeError} See encodeKey. */
export function encodePrefix(prefix: KvKey): Uint8Array {
  const parts = prefix.map(encodePart);
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  if (bytes.length > MAX_KEY_BYTES) {
    const limit = `the limit is ${MAX_KEY_BYTES}`;
    throw new RangeError(`Cannot use a key of ${bytes.length} bytes: ${limit}`);
  }
  return bytes;
}

/** Decodes the bytes of {@linkcode encodeKey}. */
export function decodeKey(bytes: Uint8Array): KvKey {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: (string | number)[] = [];
  for (let at = 0; at < buffer.length;) {
    if (buffer[at] === NUMBER) {
      parts.push(decodeNumber(buffer.subarray(at + 1, at + 9)));
      at += 9;
    } else {
      const end = endOfString(buffer, at + 1);
      parts.push(decodeString(buffer.subarray(at + 1, end)));
      at = end + 1;
    }
  }
  return parts;
}

/** Returns encoded bytes as a string with the same order. */
export function keyText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Returns the first key after all keys that begin with a prefix: no part begins with 255. */
export function endOfPrefix(prefix: Uint8Array): Uint8Array {
  return Buffer.concat([prefix, Buffer.of(0xff)]);
}

function encodePart(part: string | number): Buffer {
  if (typeof part === "number" && Number.isFinite(part)) return encodeNumber(part);
  if (typeof part !== "string" || !part.isWellFormed()) {
    throw new TypeError(
      "Cannot use a key: its parts must be well-formed strings or finite numbers",
    );
  }
  const escaped = part.includes("\0") ? escapeZeros(part) : Buffer.from(part, "utf8");
  return Buffer.concat([Buffer.of(STRING), escaped, Buffer.of(0)]);
}

function escapeZeros(text: string): Buffer {
  const pieces = text.split("\0").map((piece) => Buffer.from(piece, "utf8"));
  return Buffer.concat(pieces.flatMap((piece, index) => {
    return index === 0 ? [piece] : [Buffer.of(0, 0xff), piece];
  }));
}

function endOfString(buffer: Buffer, from: number): number {
  for (let at = from;; at++) {
    at = buffer.indexOf(0, at);
    if (at < 0) throw new TypeError("Cannot decode a key: a string has no end");
    if (buffer[at + 1] !== 0xff) return at;
  }
}

function decodeString(bytes: Buffer): string {
  if (!bytes.includes(0)) return bytes.toString("utf8");
  return Buffer.from(bytes.filter((byte, index) => byte !== 0xff || bytes[index - 1] !== 0))
    .toString("utf8");
}

/** Flips the sign bit of positive numbers and all bits of negative ones, so that bytes sort. */
function encodeNumber(value: number): Buffer {
  const buffer = Buffer.alloc(9);
  buffer[0] = NUMBER;
  buffer.writeDoubleBE(value + 0, 1); // -0 becomes 0.
  flip(buffer.subarray(1), buffer[1]! >= 0x80);
  return buffer;
}

function decodeNumber(bytes: Buffer): number {
  const copy = Buffer.from(bytes);
  flip(copy, copy[0]! < 0x80);
  return copy.readDoubleBE(0);
}

function flip(bytes: Buffer, all: boolean): void {
  if (!all) bytes[0]! ^= 0x80;
  else for (let at = 0; at < 8; at++) bytes[at]! ^= 0xff;
}
