/**
 * Reads what a request says, by the RFCs: its path, its cookies, and the address of its client.
 *
 * @module
 */
import { isIPv4, isIPv6 } from "node:net";

/**
 * Returns the normal form of a path, the same for all equivalent spellings (RFC 3986 §6.2.2):
 * percent-encoded letters, digits, `-`, `.`, `_` and `~` are decoded, and other octets use capital
 * letters. `scope.path` is in this form. A query is unchanged.
 */
export function normalizePath(target: string): string {
  if (!target.includes("%")) return target;
  const at = target.indexOf("?");
  const path = at < 0 ? target : target.slice(0, at);
  // A path that cannot be decoded is unchanged.
  if (/%(?![\da-f]{2})/i.test(path)) return target;
  return path.replace(/%../g, normalizeOctet) + target.slice(path.length);
}

function normalizeOctet(encoded: string): string {
  const character = String.fromCharCode(parseInt(encoded.slice(1), 16));
  return /[A-Za-z\d._~-]/.test(character) ? character : encoded.toUpperCase();
}

/**
 * Parses a `Cookie` header as specified in RFC 6265: pairs end at `;`, a name ends at the first `=`,
 * and only SP and HTAB around names and values are dropped. A pair without `=` or without a name is
 * skipped. Values are not decoded, and quotes are part of them (RFC 6265 §5.2).
 *
 * Never throws. If a name occurs several times, the first one counts: browsers send the cookie with
 * the longest path first, then the oldest.
 *
 * *Security*: a neighbouring site may have set any cookie whose name does not start with `__Host-`.
 * Any other white space is part of the name, so `\u00A0__Host-session` is not `__Host-session`. The
 * server must limit the length of the header.
 */
export function parseCookies(header: string | null | undefined): Map<string, string> {
  const cookies = new Map<string, string>();
  eachCookie(header, (name, value) => {
    if (!cookies.has(name)) cookies.set(name, value);
    return false;
  });
  return cookies;
}

/**
 * Returns the values of all cookies with one name, in order and at most `max`, parsed as by
 * {@linkcode parseCookies}.
 */
export function findCookies(
  header: string | null | undefined,
  name: string,
  max: number,
): readonly string[] {
  // Most requests lack the cookie.
  if (!header?.includes(name)) return NONE;
  const values: string[] = [];
  eachCookie(header, (each, value) => each === name && values.push(value) >= max);
  return values;
}

const NONE: readonly string[] = [];

/** Calls `visit` with each name and value until it returns true. */
function eachCookie(
  header: string | null | undefined,
  visit: (name: string, value: string) => boolean,
): void {
  if (!header) return;
  for (let at = 0, end: number; at <= header.length; at = end + 1) {
    const semicolon = header.indexOf(";", at);
    end = semicolon < 0 ? header.length : semicolon;
    const pair = header.slice(at, end);
    const equals = pair.indexOf("=");
    if (equals < 0) continue;
    const name = trim(pair.slice(0, equals));
    if (name !== "" && visit(name, trim(pair.slice(equals + 1)))) return;
  }
}

/** Drops SP and HTAB at both ends; `String.trim()` drops more. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/**
 * Parses an IP address as proxies and servers write it: `192.0.2.7`, `192.0.2.7:5678`, `2001:db8::1`,
 * `[2001:db8::1]`, `[2001:db8::1]:443`, with a zone (`fe80::1%eth0`) or in double quotes.
 *
 * Returns the bare address, without port, brackets, zone and quotes; an IPv4 address mapped to IPv6
 * (`::ffff:192.0.2.7`, `::ffff:c000:207`) is returned as IPv4. Returns undefined for any other text.
 */
export function parseIpAddress(text: string): string | undefined {
  const [, inBrackets, withPort, plain] = FORMS.exec(text) ?? [];
  const address = inBrackets ?? withPort ?? plain;
  if (address === undefined || (withPort !== undefined && !isIPv4(address))) return undefined;
  if (isIPv4(address)) return inBrackets === undefined ? address : undefined;
  if (!isIPv6(address)) return undefined;
  const groups = ipv6Groups(address);
  return hasPrefix(groups, MAPPED) ? embeddedIpv4(groups) : address;
}

/** `::ffff:0:0/96`: IPv4 addresses mapped to IPv6 (RFC 4291 §2.5.5.2). */
const MAPPED = [0, 0, 0, 0, 0, 0xffff];

/** In brackets, with a port, or bare; a zone is dropped. */
const FORMS =
  /^"?(?:\[([^\]%]{2,45})(?:%[^\]"]{1,32})?\](?::\d{1,5})?|([\d.]{7,15}):\d{1,5}|([\da-f:.]{2,45})(?:%[^\]"]{1,32})?)"?$/i;

/** Returns the IPv4 address in the last 32 bits of an IPv6 address. */
export function embeddedIpv4(groups: readonly number[]): string {
  return groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]).join(".");
}

/** Returns whether an IPv6 address is in a network whose prefix consists of whole groups. */
export function hasPrefix(groups: readonly number[], prefix: readonly number[]): boolean {
  return prefix.every((group, index) => groups[index] === group);
}

/** Returns the eight groups of a valid IPv6 address. */
export function ipv6Groups(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const before = groupsOf(head);
  if (tail === undefined) return before;
  const after = groupsOf(tail);
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((part) => {
    if (!part.includes(".")) return [parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split(".").map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

/**
 * Returns the network that limits count as one client: an IPv4 address in any spelling, or the first 64
 * bits of an IPv6 address, the smallest network of one customer. Clients behind NAT64 (`64:ff9b::/96`)
 * count by their IPv4 address.
 */
export function networkOf(address: string): string {
  const parsed = parseIpAddress(address);
  if (parsed === undefined) return address;
  if (!parsed.includes(":")) return parsed;
  const groups = ipv6Groups(parsed);
  if (hasPrefix(groups, NAT64)) return embeddedIpv4(groups);
  const texts = groups.map((group) => group.toString(16));
  // The position of the IPv4 address differs between networks, so each address counts separately.
  return hasPrefix(groups, LOCAL_NAT64) ? texts.join(":") : `${texts.slice(0, 4).join(":")}::/64`;
}

/** `64:ff9b::/96` (RFC 6052 §2.1). */
const NAT64 = [0x64, 0xff9b, 0, 0, 0, 0];

/** `64:ff9b:1::/48` (RFC 8215). */
const LOCAL_NAT64 = [0x64, 0xff9b, 1];
