/**
 * What layers and streams accept: names without special characters, and messages that are plain data.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { LayerMessage } from "../core/consumer.ts";
import { LayerError } from "./layer_error.ts";

/** Maximum length of a channel or group name, in (ASCII) characters. */
export const MAX_NAME_LENGTH = 100;

const CHANNEL = /^[A-Za-z0-9\-_.]+(![A-Za-z0-9\-_.]*)?$/;
const PREFIX = /^[A-Za-z0-9\-_.]+(:[A-Za-z0-9\-_.]+)*$/;
const GROUP = /^[A-Za-z0-9\-_.]+$/;

/**
 * Checks the name of a channel: letters, digits, `-`, `_`, `.`, and at most one `!`, after the part
 * that names the process.
 *
 * @throws {TypeError} The name is invalid, or longer than {@linkcode MAX_NAME_LENGTH}.
 */
export function assertChannelName(name: string): void {
  if (name.length > MAX_NAME_LENGTH || !CHANNEL.test(name)) {
    throw new TypeError(
      `Invalid channel name ${quote(name)}: use 1 to ${MAX_NAME_LENGTH} letters, digits, ` +
        `"-", "_", "." and at most one "!"`,
    );
  }
}

/**
 * Checks the name of a group: letters, digits, `-`, `_`, `.`.
 *
 * @throws {TypeError} The name is invalid, or longer than {@linkcode MAX_NAME_LENGTH}.
 */
export function assertGroupName(name: string): void {
  if (name.length > MAX_NAME_LENGTH || !GROUP.test(name)) {
    throw new TypeError(
      `Invalid group name ${quote(name)}: use 1 to ${MAX_NAME_LENGTH} letters, digits, ` +
        `"-", "_" and "."`,
    );
  }
}

/**
 * Checks the name of a durable channel, which can be leased from.
 *
 * @throws {TypeError} The name is invalid, or the channel belongs to a process.
 */
export function assertDurableName(name: string): void {
  assertChannelName(name);
  if (!name.includes("!")) return;
  throw new TypeError(`Cannot lease from ${quote(name)}: only durable channels have leases`);
}

/**
 * Checks the prefix of all names of a system: letters, digits, `-`, `_`, `.`, and `:` between them.
 *
 * @throws {TypeError} The prefix is invalid, or longer than {@linkcode MAX_NAME_LENGTH}.
 */
export function assertLayerPrefix(prefix: string): void {
  if (prefix.length <= MAX_NAME_LENGTH && PREFIX.test(prefix)) return;
  throw new TypeError(
    `Invalid prefix ${quote(prefix)}: use 1 to ${MAX_NAME_LENGTH} letters, digits, ` +
      `"-", "_", "." and, between them, ":"`,
  );
}

/** The prefix of internal groups and channels. Application names cannot contain it. */
const RESERVED = "~";

/** Returns the internal name that corresponds to `name`. */
export function reservedName(name: string): string {
  return `${RESERVED}${name}`;
}

/** Checks the name of an internal channel. @throws {TypeError} It is not one. */
export function assertReservedName(channel: string): void {
  if (!channel.startsWith(RESERVED)) {
    throw new TypeError(`Invalid internal channel name ${quote(channel)}: it must begin with "~"`);
  }
  assertChannelName(channel.slice(RESERVED.length));
}

/** Returns the part of a channel name that decides its capacity: all of it up to and including `!`. */
export function nonLocalName(channel: string): string {
  const mark = channel.indexOf("!");
  return mark < 0 ? channel : channel.slice(0, mark + 1);
}

function quote(name: unknown): string {
  const text = String(name);
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** A message inside a layer: a frozen copy, and the approximate length of its JSON in characters. */
export interface PlainMessage {
  readonly message: LayerMessage;
  readonly size: number;
}

/** Maximum nesting depth of a message. */
const MAX_DEPTH = 64;

/** Maximum number of bytes that JSON needs for one character of a string: `\u0000`. */
const MAX_BYTES_PER_CHARACTER = 6;

/**
 * Returns a frozen copy of a message. The message must be plain data that JSON neither changes nor
 * loses, so that it arrives as it was sent.
 *
 * @throws {TypeError} The message has no type, or is not plain data; the error names the place.
 * @throws {LayerError} `MESSAGE_TOO_LARGE` if its JSON has more than `maxBytes` bytes in UTF-8.
 */
export function copyMessage(message: LayerMessage, maxBytes: number): PlainMessage {
  if (typeof message?.type !== "string" || message.type === "") {
    throw new TypeError("Cannot send a message without a type");
  }
  const copier = new Copier(message.type);
  const copy = copier.copyRecord(message as unknown as Record<string, unknown>);
  if (copier.size * MAX_BYTES_PER_CHARACTER > maxBytes) assertSize(copy, maxBytes);
  return { message: copy as unknown as LayerMessage, size: copier.size };
}

/** Deeply freezes a value that `JSON.parse` returned. */
export function freezeJson<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) freezeJson(part);
  return Object.freeze(value);
}

function assertSize(message: { readonly type?: unknown }, maxBytes: number): void {
  const bytes = Buffer.byteLength(JSON.stringify(message));
  if (bytes <= maxBytes) return;
  throw new LayerError(
    "MESSAGE_TOO_LARGE",
    `Cannot send the message "${message.type}": it has ${bytes} bytes, the limit is ${maxBytes}`,
  );
}

class Copier {
  size = 0;
  readonly #type: string;
  readonly #path: (string | number)[] = [];

  constructor(type: string) {
    this.#type = type;
  }

  copyRecord(record: Record<string, unknown>): Record<string, unknown> {
    if (Object.getOwnPropertySymbols(record).length > 0) {
      throw this.#refusal("has a symbol as a key");
    }
    const copy: Record<string, unknown> = {};
    this.size += 2;
    for (const key of Object.keys(record)) {
      const value = record[key];
      if (value === undefined) continue;
      this.size += key.length + 4;
      const part = this.#copyAt(key, value);
      if (key === "__proto__") define(copy, key, part);
      else copy[key] = part;
    }
    return Object.freeze(copy);
  }

  #copyAt(key: string | number, value: unknown): unknown {
    this.#path.push(key);
    if (this.#path.length > MAX_DEPTH) {
      throw this.#refusal(`is nested deeper than ${MAX_DEPTH} levels`);
    }
    const copy = this.#copy(value);
    this.#path.pop();
    return copy;
  }

  #copy(value: unknown): unknown {
    switch (typeof value) {
      case "string":
        this.size += value.length + 2;
        return value;
      case "boolean":
        this.size += 5;
        return value;
      case "number":
        if (!Number.isFinite(value)) throw this.#refusal(`is ${value}`);
        this.size += 24;
        return value === 0 ? 0 : value;
      case "object":
        return value === null ? this.#copyNull() : this.#copyObject(value);
      default:
        throw this.#refusal(`is ${value === undefined ? "undefined" : `a ${typeof value}`}`);
    }
  }

  #copyNull(): null {
    this.size += 4;
    return null;
  }

  #copyObject(value: object): unknown {
    if (Array.isArray(value)) {
      this.size += value.length + 2;
      // Unlike map(), Array.from() visits holes, too.
      return Object.freeze(Array.from(value, (part, index) => this.#copyAt(index, part)));
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      return this.copyRecord(value as Record<string, unknown>);
    }
    throw this.#refusal(`is a ${prototype.constructor?.name || "class instance"}`);
  }

  #refusal(what: string): TypeError {
    const place = this.#path.slice(0, 8).join(".") || "it";
    return new TypeError(
      `Cannot send the message "${this.#type}": ${place} ${what}, but only plain data can be sent`,
    );
  }
}

function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
