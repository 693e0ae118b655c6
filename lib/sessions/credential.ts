import { findCookies } from "../protocol/mod.ts";
import { bearerToken } from "./bearer.ts";
import { sessionCookieName } from "./cookie.ts";

/** A request's proof of its session. */
export interface Credential {
  readonly kind: "bearer" | "cookie";
  /** Session tokens in the order of the request, unchecked. The first valid one counts. */
  readonly tokens: readonly string[];
}

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
): Credential | undefined {
  const bearer = bearerToken(headers);
  if (bearer !== undefined) return { kind: "bearer", tokens: [bearer] };
  const name = sessionCookieName(options.secure);
  const tokens = findCookies(headers.get("cookie"), name, MAX_SESSION_COOKIES);
  return tokens.length === 0 ? undefined : { kind: "cookie", tokens };
}
