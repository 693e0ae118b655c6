const MAX_LENGTH = 2_048;

/**
 * Returns where to go after sign-in: `value` if it is a path on this site, or a URL whose origin is
 * listed in `returnOrigins`; else `/`. Entries of the list that are not exact origins, such as
 * `.example.com` or `*`, are ignored.
 *
 * *Security*: `value` comes from the link's author. Paths that a browser, a proxy or a second
 * decoding could read as another site are rejected: `//evil`, `/\evil`, `/.//evil`, `/%2f/evil`,
 * and anything with a backslash or a control character, encoded once or twice. A URL is returned as
 * it was parsed, so that a browser reads it the same way.
 */
export function safeReturnTo(
  value: string | null | undefined,
  origin: string,
  returnOrigins: readonly string[] = [],
): string {
  if (!value || value.length > MAX_LENGTH) return "/";
  if (!value.startsWith("/")) return pageOf(value, returnOrigins) ?? "/";
  if (!isPlainPath(value)) return "/";
  const url = URL.parse(value, origin);
  if (url?.origin !== origin) return "/";
  const decoded = decode(decode(url.pathname));
  if (decoded === undefined || !isPlainPath(decoded)) return "/";
  return url.pathname + url.search + url.hash;
}

/** Returns the URL of a page of one of the origins. */
function pageOf(value: string, origins: readonly string[]): string | undefined {
  if (!ORIGIN.test(value) || UNSAFE.test(value)) return undefined;
  const url = URL.parse(value);
  if (url === null || url.username !== "" || url.password !== "") return undefined;
  const isListed = origins.some((rule) =>
    ORIGIN.test(rule) && URL.parse(rule)?.origin === url.origin
  );
  return isListed ? url.href : undefined;
}

/** The start of an exact origin: a domain with its subdomains begins with a dot. */
const ORIGIN = /^https?:\/\/[^/.@\s]/i;

// deno-lint-ignore no-control-regex
const UNSAFE = /[\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

function isPlainPath(path: string): boolean {
  return path.startsWith("/") && !path.startsWith("//") && !UNSAFE.test(path);
}

function decode(path: string | undefined): string | undefined {
  try {
    return path && decodeURIComponent(path);
  } catch {
    // A path that was encoded only once may hold a bare `%` now.
    return path;
  }
}
