import { isSameOrigin, originOf, parseOrigin } from "./origin.ts";

const SAFE_METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/**
 * Returns whether a request wants to change something and comes from a page of another site
 * (cross-site request forgery), by its `Sec-Fetch-Site` and its `Origin`.
 *
 * A request with neither comes from no browser that is younger than 2020, and passes: it is the
 * cookie's `SameSite=Lax` that keeps older ones out.
 *
 * *Security*: `url` is the address as people see it. A neighbour on the same domain counts as
 * another site.
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
