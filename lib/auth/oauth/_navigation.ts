import { SignInError } from "../errors.ts";
import type { SignInRequest } from "./sign_in_request.ts";

/**
 * Checks that a request is a top-level navigation of a browser, or comes from a program.
 *
 * Current browsers send Fetch Metadata. For others, such as Safari before 16.4 and every browser
 * over plain http, a request is refused if its `Accept` or `Origin` shows that it is a subresource
 * of another page.
 *
 * @throws {SignInError} `NOT_A_NAVIGATION`.
 */
export function checkNavigation({ headers, url }: SignInRequest): void {
  const purpose = headers.get("sec-purpose") ?? headers.get("purpose") ?? "";
  const isPrefetch = /\bprefetch\b/i.test(purpose);
  if (isPrefetch || !isNavigation(headers, url.origin)) throw new SignInError("NOT_A_NAVIGATION");
}

function isNavigation(headers: Headers, origin: string): boolean {
  const mode = headers.get("sec-fetch-mode");
  const dest = headers.get("sec-fetch-dest");
  const isBrowser = dest !== null || headers.has("sec-fetch-site");
  if (isBrowser) return mode === "navigate" && dest === "document";
  // Node's fetch sends only this header; no browser does.
  if (mode !== null) return mode === "navigate" || mode === "cors";
  const accept = headers.get("accept") ?? "";
  const isPart = /^\s*(?:(?:image|audio|video|font)\/|text\/css\b)/i.test(accept);
  return !isPart && (headers.get("origin") ?? origin) === origin;
}

/**
 * Returns whether a link, form or redirect of another site led the browser here. Another subdomain
 * of the same domain counts as another site.
 */
export function isFromAnotherSite(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  return site !== null && site !== "same-origin" && site !== "none";
}
