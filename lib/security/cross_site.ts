import { isSameOrigin, originOf, parseOrigin } from "./origin.ts";

const SAFE_METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/**
 * Returns whether a request with an unsafe method comes from a page of another site (cross-site request
 * forgery), by its `Sec-Fetch-Site` and `Origin` headers.
 *
 * A request with neither header passes: browsers since 2020 send one of them, and the cookie's
 * `SameSite=Lax` protects older ones.
 *
 * *Security*: `url` is the public address. Another host on the same domain counts as another site.
 *
 * @example
 * ```ts
 * import { isCrossSite } from "@sluice/sluice/security";
 * import assert from "node:assert/strict";
 *
 * const url = new URL("https://app.example/signout");
 * const headers = { origin: "https://evil.example" };
 * assert.equal(isCrossSite(new Request(url, { method: "POST", headers }), url), true);
 * assert.equal(isCrossSite(new Request(url), url), false);
 * ```
 */
export function isCrossSite(request: Request, url: URL): boolean {
  if (SAFE_METHODS.includes(request.method)) return false;
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return true;
  const header = request.headers.get("origin");
  if (header === null) return false;
  const origin = parseOrigin(header);
  return origin === undefined || !isSameOrigin(origin, originOf(url));
}
