import { findCookies } from "../core/request_values.ts";

/** Most cookies with the session's name that are tried. */
const MAX_SESSION_COOKIES = 5;

/**
 * Returns a request's proof of its session: its bearer token, or else its session cookies.
 * Undefined if it has neither.
 *
 * *Security*: if there is a bearer token, even an expired or malformed one, the cookies are
 * ignored.
 *
 * @example
 * ```ts
 * import { credentialOf } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * const headers = new Headers({ authorization: "Bearer abc", cookie: "session=def" });
 * assert.deepEqual(credentialOf(headers, { secure: false }), { kind: "bearer", tokens: ["abc"] });
 * ```
 */
export function credentialOf(
  headers: Headers,
  options: { secure: boolean },
): {
  /** Where the tokens come from: the `Authorization` header, or cookies. */
  readonly kind: "bearer" | "cookie";
  /** Session tokens in the order of the request, unchecked. The first valid one counts. */
  readonly tokens: readonly string[];
} | undefined {
  const bearer = bearerToken(headers);
  if (bearer !== undefined) return { kind: "bearer", tokens: [bearer] };
  const name = sessionCookieName(options.secure);
  const tokens = findCookies(headers.get("cookie"), name, MAX_SESSION_COOKIES);
  return tokens.length === 0 ? undefined : { kind: "cookie", tokens };
}

/**
 * Returns the token of an `Authorization: Bearer …` header (RFC 6750 §2.1), unchecked. Undefined if
 * the request has no bearer token; empty if the token is malformed.
 *
 * *Security*: a browser sends it only for a script that has the token, so it needs no CSRF
 * protection.
 *
 * @example
 * ```ts
 * import { bearerToken } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * assert.equal(bearerToken(new Headers({ authorization: "Bearer abc" })), "abc");
 * assert.equal(bearerToken(new Headers({ authorization: "Bearer" })), "");
 * assert.equal(bearerToken(new Headers()), undefined);
 * ```
 */
export function bearerToken(headers: Headers): string | undefined {
  const authorization = headers.get("authorization");
  // Repeated headers arrive joined with commas.
  if (authorization === null || !/(?:^|,)\s*bearer(?:\s|,|$)/i.test(authorization)) {
    return undefined;
  }
  return /^bearer[ \t]+([^\s,]{1,512})$/i.exec(authorization)?.[1] ?? "";
}

/**
 * Returns the name of the session cookie: `__Host-session` over https, else `session`.
 *
 * *Security*: the prefix makes browsers refuse a cookie of that name from a subdomain, from plain
 * http, or for one path only.
 */
export function sessionCookieName(secure: boolean): string {
  return secure ? "__Host-session" : "session";
}

/**
 * Returns whether `url` uses an encrypted connection.
 */
export function isSecure(url: URL): boolean {
  return url.protocol === "https:" || url.protocol === "wss:";
}
