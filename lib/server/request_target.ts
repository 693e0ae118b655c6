/** The parts of `request.url`, as they were received. */
export interface RequestTarget {
  /** `http` or `https`. */
  readonly scheme: "http" | "https";
  /** What stands for the host; not valid if the `Host` header is not. */
  readonly authority: string;
  /** Path and query; begins with `/`. */
  readonly target: string;
}

/** Splits `request.url` without parsing it, as it may be no valid URL. A fragment is left out. */
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
 * Returns the spelling of a path that stands for all that mean the same (RFC 3986 §6.2.2):
 * percent-encoded letters, digits, `-`, `.`, `_` and `~` are decoded, and other octets have capital
 * letters. `scope.path` is written so. A query is left as it is.
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
  // A path that does not decode stays as it is.
  if (/%(?![\da-f]{2})/i.test(path)) return target;
  return path.replace(/%../g, normalizeOctet) + target.slice(path.length);
}

function normalizeOctet(encoded: string): string {
  const character = String.fromCharCode(parseInt(encoded.slice(1), 16));
  return /[A-Za-z\d._~-]/.test(character) ? character : encoded.toUpperCase();
}
