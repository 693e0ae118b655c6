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
