const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[!#-+\--:<-[\]-~]*$/;
const ATTRIBUTE = /^[ -:<-~]+$/;
const SAME_SITE: readonly unknown[] = ["Strict", "Lax", "None"];

/**
 * Adds a `Set-Cookie` header (RFC 6265 §4.1) to `headers`: those of a response, or of the 101 of a
 * socket. The value is not encoded. By default the path is `/` and the cookie is `SameSite=Lax`.
 *
 * @throws {TypeError} A name, value, path, domain or `sameSite` is invalid, or `SameSite=None` lacks
 * `secure`; browsers drop such a cookie.
 *
 * @example
 * ```ts
 * import { setCookie } from "@sluice/sluice/consumers";
 * import assert from "node:assert/strict";
 *
 * const headers = new Headers();
 * setCookie(headers, "theme", "dark", { maxAgeSeconds: 60 });
 * assert.equal(
 *   headers.get("set-cookie"),
 *   "theme=dark; Path=/; Max-Age=60; HttpOnly; SameSite=Lax",
 * );
 * ```
 */
export function setCookie(
  headers: Headers,
  name: string,
  value: string,
  options: {
    /** Lifetime in the browser, in seconds; without it, until the browser is closed. */
    readonly maxAgeSeconds?: number;
    /** The paths that receive the cookie. @default {"/"} */
    readonly path?: string;
    /** The domain whose hosts receive the cookie; without it, only this host. */
    readonly domain?: string;
    /** Whether the cookie is sent over https only. @default {false} */
    readonly secure?: boolean;
    /** Whether the cookie is hidden from scripts. @default {true} */
    readonly httpOnly?: boolean;
    /** When cross-site requests carry the cookie; `None` requires `secure`. @default {"Lax"} */
    readonly sameSite?: "Strict" | "Lax" | "None";
  } = {},
): void {
  const { path = "/", domain, sameSite = "Lax", secure = false, httpOnly = true } = options;
  check(NAME, name, "name");
  check(VALUE, value, "value");
  check(ATTRIBUTE, path, "path");
  if (domain !== undefined) check(ATTRIBUTE, domain, "domain");
  if (!SAME_SITE.includes(sameSite)) throw mistake("sameSite");
  if (sameSite === "None" && !secure) throw mistake("SameSite=None without Secure");
  const parts = [`${name}=${value}`, `Path=${path}`];
  if (domain !== undefined) parts.push(`Domain=${domain}`);
  if (options.maxAgeSeconds !== undefined) {
    parts.push(`Max-Age=${wholeSeconds(options.maxAgeSeconds)}`);
  }
  if (httpOnly) parts.push("HttpOnly");
  parts.push(`SameSite=${sameSite}`);
  if (secure) parts.push("Secure");
  headers.append("set-cookie", parts.join("; "));
}

/**
 * Adds a `Set-Cookie` header that deletes the cookie with the same name, path and domain.
 *
 * @throws {TypeError} The name, path or domain is invalid.
 *
 * @example
 * ```ts
 * import { deleteCookie } from "@sluice/sluice/consumers";
 * import assert from "node:assert/strict";
 *
 * const headers = new Headers();
 * deleteCookie(headers, "theme");
 * assert.match(headers.get("set-cookie")!, /^theme=; Path=\/; Max-Age=0;/);
 * ```
 */
export function deleteCookie(
  headers: Headers,
  name: string,
  place: {
    /** @default {"/"} */
    readonly path?: string;
    readonly domain?: string;
  } = {},
): void {
  const secure = /^__(?:Host|Secure)-/.test(name); // Browsers ignore the header otherwise.
  setCookie(headers, name, "", { ...place, secure, maxAgeSeconds: 0 });
}

function wholeSeconds(maxAgeSeconds: number): number {
  if (Number.isNaN(maxAgeSeconds)) throw mistake("maxAgeSeconds");
  return Math.max(0, Math.floor(maxAgeSeconds));
}

function check(pattern: RegExp, text: string, what: string): void {
  if (!pattern.test(text)) throw mistake(what);
}

function mistake(what: string): TypeError {
  return new TypeError(`Cannot set a cookie: its ${what} is invalid`);
}
