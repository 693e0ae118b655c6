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
  eachCookie(header, (name, value) => {
    if (!cookies.has(name)) cookies.set(name, unquote(value));
    return false;
  });
  return cookies;
}

/**
 * Returns the value of one cookie, as {@linkcode parseCookies} has it, without reading the others.
 *
 * @example
 * ```ts
 * import { findCookie } from "@sluice/sluice/protocol";
 * import assert from "node:assert/strict";
 *
 * assert.equal(findCookie("theme=dark; session=abc", "session"), "abc");
 * assert.equal(findCookie("theme=dark", "session"), undefined);
 * ```
 */
export function findCookie(header: string | null | undefined, name: string): string | undefined {
  // Most requests have none of that name, or no cookie at all.
  if (!header?.includes(name)) return undefined;
  let found: string | undefined;
  eachCookie(header, (each, value) => {
    if (each !== name) return false;
    found = unquote(value);
    return true;
  });
  return found;
}

/** Calls `visit` with each name and value until it returns true. */
function eachCookie(
  header: string | null | undefined,
  visit: (name: string, value: string) => boolean,
): void {
  if (!header || header.length > MAX_HEADER_LENGTH) return;
  let at = 0;
  for (let count = 0; count < MAX_COOKIES && at <= header.length; count++) {
    const semicolon = header.indexOf(";", at);
    const end = semicolon < 0 ? header.length : semicolon;
    const equals = header.indexOf("=", at);
    if (equals > at && equals < end) {
      const name = header.slice(at, equals).trim();
      if (name !== "" && visit(name, header.slice(equals + 1, end).trim())) return;
    }
    at = end + 1;
  }
}

function unquote(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1)
    : value;
}
