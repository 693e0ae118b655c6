import type { SignInRequest } from "./sign_in_request.ts";

/**
 * Returns whether a client prefers an empty response to a redirect: it accepts JSON, or is a script, not
 * a navigation, of a page of another origin.
 */
export function prefersNoRedirect({ headers, url }: SignInRequest): boolean {
  const accept = headers.get("accept") ?? "";
  if (/(?:^|,)\s*application\/json\s*(?:[;,]|$)/i.test(accept)) return true;
  const isForeign = (headers.get("origin") ?? url.origin) !== url.origin;
  return isForeign && !/\btext\/html\b/i.test(accept);
}

/** Redirects, and sets cookies. */
export function redirect(
  status: 302 | 303,
  location: string,
  cookies: readonly string[],
): Response {
  return answer(status, { location, "referrer-policy": "no-referrer" }, cookies);
}

/** Answers without a body. The response is not cached. */
export function answer(status: number, init: HeadersInit, cookies: readonly string[]): Response {
  const headers = new Headers(init);
  headers.set("cache-control", "no-store");
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response(null, { status, headers });
}
