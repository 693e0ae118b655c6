import { isIPv4, isIPv6 } from "node:net";

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
 *
 * @example
 * ```ts
 * import { networkOf } from "@sluice/sluice/security";
 * import assert from "node:assert/strict";
 *
 * assert.equal(networkOf("192.0.2.7"), "192.0.2.7");
 * assert.equal(networkOf("::ffff:192.0.2.7"), "192.0.2.7");
 * assert.equal(networkOf("64:ff9b::c000:207"), "192.0.2.7");
 * assert.equal(networkOf("2001:db8::1"), "2001:db8:0:0::/64");
 * assert.equal(networkOf("2001:db8:0:0:ffff::2"), "2001:db8:0:0::/64");
 * ```
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
