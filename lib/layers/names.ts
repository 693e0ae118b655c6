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
