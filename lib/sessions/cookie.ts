import { sessionCookieName } from "./credential.ts";

/** Attributes of a cookie. */
interface CookieOptions {
  /** Whether users reach this site over https: adds `Secure`. */
  readonly secure: boolean;
  /** How long the browser keeps it, in seconds; 0 deletes it. */
  readonly maxAgeSeconds: number;
}

/**
 * Returns a `Set-Cookie` header, always with `HttpOnly`, `SameSite=Lax` and `Path=/`.
 *
 * @throws {TypeError} The name or the value is not valid in a cookie.
 */
export function serializeCookie(name: string, value: string, options: CookieOptions): string {
  if (!COOKIE_NAME.test(name)) throw new TypeError("Cannot set a cookie: the name is not valid");
  if (!COOKIE_VALUE.test(value)) throw new TypeError("Cannot set a cookie: the value is not valid");
  const maxAge = Math.max(0, Math.floor(options.maxAgeSeconds));
  const base = `${name}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax`;
  return options.secure ? `${base}; Secure` : base;
}

/**
 * Returns the `Set-Cookie` header that gives a browser its session's token.
 *
 * @example
 * ```ts
 * import { sessionCookie } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * const header = sessionCookie("token", { secure: true, maxAgeSeconds: 60 });
 * assert.match(header, /^__Host-session=token; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax; Secure$/);
 * ```
 */
export function sessionCookie(token: string, options: {
  /** Whether users reach this site over https: adds `Secure`. */
  readonly secure: boolean;
  /** How long the browser keeps it, in seconds; 0 deletes it. */
  readonly maxAgeSeconds: number;
}): string {
  return serializeCookie(sessionCookieName(options.secure), token, options);
}

/**
 * Returns the `Set-Cookie` header that deletes a browser's session cookie.
 */
export function deletedSessionCookie(secure: boolean): string {
  return sessionCookie("", { secure, maxAgeSeconds: 0 });
}

const COOKIE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const COOKIE_VALUE = /^[!#-+\--:<-[\]-~]*$/;
