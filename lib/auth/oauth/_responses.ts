/** Returns whether a client prefers an empty response to a redirect. */
export function acceptsJson(headers: Headers): boolean {
  return /(?:^|,)\s*application\/json\s*(?:[;,]|$)/i.test(headers.get("accept") ?? "");
}

/** Returns whether a request is from a script, not a navigation, of a page of another origin. */
export function isForeignScript(headers: Headers, origin: string): boolean {
  const from = headers.get("origin");
  if (from === null || from === origin) return false;
  return !/\btext\/html\b/i.test(headers.get("accept") ?? "");
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
