/**
 * Returns the token of an `Authorization: Bearer …` header (RFC 6750 §2.1), unchecked. Undefined if the
 * request shows no bearer token; empty if it shows one that is malformed.
 *
 * *Security*: browsers send it only for a script that has the token, so that it needs no protection
 * against requests of other sites.
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
  // Several headers arrive as one, with commas.
  if (authorization === null || !/(?:^|,)\s*bearer(?:\s|,|$)/i.test(authorization)) {
    return undefined;
  }
  return /^bearer[ \t]+([^\s,]{1,512})$/i.exec(authorization)?.[1] ?? "";
}
