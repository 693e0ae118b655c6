/**
 * Returns what an address is limited by: itself, and of IPv6 the first 64 bits, which is what one
 * customer has at least. An IPv4 address that is written as IPv6 counts as IPv4.
 *
 * @example
 * ```ts
 * import { networkOf } from "@sluice/sluice/security";
 * import assert from "node:assert/strict";
 *
 * assert.equal(networkOf("192.0.2.7"), "192.0.2.7");
 * assert.equal(networkOf("2001:db8::1"), "2001:db8:0:0::/64");
 * assert.equal(networkOf("2001:db8:0:0:ffff::2"), "2001:db8:0:0::/64");
 * assert.equal(networkOf("::ffff:192.0.2.7"), "192.0.2.7");
 * ```
 */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = address.toLowerCase().split("%")[0]!.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(gap).fill("0"), ...after];
  const prefix = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""));
  return `${prefix.join(":")}::/64`;
}
