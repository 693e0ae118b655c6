/** Longest name of a channel or a group, in characters. All of them are ASCII. */
export const MAX_NAME_LENGTH = 100;

const CHANNEL = /^[A-Za-z0-9\-_.]+(![A-Za-z0-9\-_.]*)?$/;
const PREFIX = /^[A-Za-z0-9\-_.]+(:[A-Za-z0-9\-_.]+)*$/;
const GROUP = /^[A-Za-z0-9\-_.]+$/;

/**
 * Checks the name of a channel: letters, digits, `-`, `_`, `.`, and one `!` that ends the part which
 * names the process.
 *
 * @throws {TypeError} It is no such name, or longer than {@linkcode MAX_NAME_LENGTH}.
 */
export function assertChannelName(name: string): void {
  if (name.length > MAX_NAME_LENGTH || !CHANNEL.test(name)) {
    throw new TypeError(
      `Cannot use the channel name ${quote(name)}: it takes 1 to ${MAX_NAME_LENGTH} of letters, ` +
        `digits, "-", "_", "." and at most one "!"`,
    );
  }
}

/**
 * Checks the name of a group: letters, digits, `-`, `_`, `.`.
 *
 * @throws {TypeError} It is no such name, or longer than {@linkcode MAX_NAME_LENGTH}.
 */
export function assertGroupName(name: string): void {
  if (name.length > MAX_NAME_LENGTH || !GROUP.test(name)) {
    throw new TypeError(
      `Cannot use the group name ${quote(name)}: it takes 1 to ${MAX_NAME_LENGTH} of letters, ` +
        `digits, "-", "_" and "."`,
    );
  }
}

/**
 * Checks the name of a channel that can be leased from.
 *
 * @throws {TypeError} It is no name of a channel, or the channel lives in a process.
 */
export function assertDurableName(name: string): void {
  assertChannelName(name);
  if (!name.includes("!")) return;
  throw new TypeError(`Cannot lease from ${quote(name)}: it lives in a process, and keeps nothing`);
}

/**
 * Checks what the names of a whole system begin with: letters, digits, `-`, `_`, `.`, and `:` between
 * them.
 *
 * @throws {TypeError} It is no such prefix, or longer than {@linkcode MAX_NAME_LENGTH}.
 */
export function assertLayerPrefix(prefix: string): void {
  if (prefix.length <= MAX_NAME_LENGTH && PREFIX.test(prefix)) return;
  throw new TypeError(
    `Cannot use the prefix ${
      quote(prefix)
    }: it takes 1 to ${MAX_NAME_LENGTH} of letters, digits, ` +
      `"-", "_", "." and, between them, ":"`,
  );
}

/** What the names of Sluice's own groups and channels begin with: no name of an application does. */
const RESERVED = "~";

/** Returns the name of Sluice's own that corresponds to a name. */
export function reservedName(name: string): string {
  return `${RESERVED}${name}`;
}

/** Checks the name of a channel of Sluice's own. @throws {TypeError} It is none. */
export function assertReservedName(channel: string): void {
  if (!channel.startsWith(RESERVED)) {
    throw new TypeError(`Cannot use the channel name ${quote(channel)}: it is an application's`);
  }
  assertChannelName(channel.slice(RESERVED.length));
}

/** Returns the part of a channel's name that its capacity is looked up by: up to and with the `!`. */
export function nonLocalName(channel: string): string {
  const mark = channel.indexOf("!");
  return mark < 0 ? channel : channel.slice(0, mark + 1);
}

function quote(name: unknown): string {
  const text = String(name);
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
