import { embeddedIpv4, hasPrefix, ipv6Groups, parseIpAddress } from "../core/ip_address.ts";

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
