/**
 * Returns the token of an `Authorization: Bearer …` header (RFC 6750 §2.1), whatever it may be.
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
 * assert.equal(bearerToken(new Headers()), undefined);
 * ```
 */
export function bearerToken(headers: Headers): string | undefined {
  return /^bearer +(\S{1,512})$/i.exec(headers.get("authorization") ?? "")?.[1];
}
