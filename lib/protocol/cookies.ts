/** Longest Cookie header that is looked at, in UTF-16 code units. */
const MAX_HEADER_LENGTH = 16_384;

/** Most cookies that are looked at. */
const MAX_COOKIES = 100;

/**
 * Reads a `Cookie` header (RFC 6265 §5.4). Values are not decoded, quotes around them are removed.
 *
 * Never throws. Where a name comes twice the first one counts: browsers put the cookie with the
 * longest path, then the oldest, first. A header of more than 16,384 characters counts as empty, and
 * only the first 100 cookies are looked at.
 *
 * *Security*: a neighbouring site may have set any of these unless the name begins with `__Host-`.
 *
 * @example
 * ```ts
 * import { parseCookies } from "@sluice/sluice/protocol";
 * import assert from "node:assert/strict";
 *
 * assert.equal(parseCookies('a=1; b="2"').get("b"), "2");
 * ```
 */
export function parseCookies(header: string | null | undefined): Map<string, string> {
  const cookies = new Map<string, string>();
  if (!header || header.length > MAX_HEADER_LENGTH) return cookies;
  for (const pair of header.split(";", MAX_COOKIES)) {
    const at = pair.indexOf("=");
    if (at < 1) continue;
    const name = pair.slice(0, at).trim();
    if (name === "" || cookies.has(name)) continue;
    cookies.set(name, unquote(pair.slice(at + 1).trim()));
  }
  return cookies;
}

function unquote(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1)
    : value;
}
