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
