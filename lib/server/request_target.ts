/** The parts of `request.url` as received. */
export interface RequestTarget {
  /** `http` or `https`. */
  readonly scheme: "http" | "https";
  /** The host part, which is invalid if the `Host` header is. */
  readonly authority: string;
  /** Path and query; starts with `/`. */
  readonly target: string;
}

/** Splits `request.url` without parsing it, because it may be an invalid URL. Drops the fragment. */
export function splitRequestUrl(url: string): RequestTarget {
  const start = url.indexOf("://") + 3;
  const found = url.slice(start).search(/[/?#]/);
  const end = found < 0 ? url.length : start + found;
  const [target = ""] = url.slice(end).split("#", 1);
  return {
    scheme: /^https:/i.test(url) ? "https" : "http",
    authority: url.slice(start, end),
    target: normalizePath(target.startsWith("/") ? target : `/${target}`),
  };
}

/**
 * Returns the normal form of a path, the same for all equivalent spellings (RFC 3986 §6.2.2):
 * percent-encoded letters, digits, `-`, `.`, `_` and `~` are decoded, and other octets use capital
 * letters. `scope.path` is in this form. A query is unchanged.
 *
 * @example
 * ```ts
 * import { normalizePath } from "@sluice/sluice/server";
 * import assert from "node:assert/strict";
 *
 * assert.equal(normalizePath("/ws/%65cho%2fa"), "/ws/echo%2Fa");
 * assert.equal(normalizePath("/ws/%zz"), "/ws/%zz");
 * ```
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
