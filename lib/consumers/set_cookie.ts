/** How a cookie is set. Its path is `/` and it is `SameSite=Lax` where nothing else is said. */
export interface SetCookieOptions {
  /** How long the browser keeps it, in seconds; without it, until the browser is closed. */
  readonly maxAgeSeconds?: number;
  /** @default {"/"} */
  readonly path?: string;
  /** The domain whose hosts get it; without it, this host alone. */
  readonly domain?: string;
  /** Whether it goes over https only. @default {false} */
  readonly secure?: boolean;
  /** Whether scripts cannot read it. @default {true} */
  readonly httpOnly?: boolean;
  /** When other sites' requests carry it; `None` needs `secure`. @default {"Lax"} */
  readonly sameSite?: "Strict" | "Lax" | "None";
}

/** Which cookie is meant, where several have one name. */
export type CookiePlace = Pick<SetCookieOptions, "path" | "domain">;

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[!#-+\--:<-[\]-~]*$/;
const ATTRIBUTE = /^[ -:<-~]+$/;
const SAME_SITE: readonly unknown[] = ["Strict", "Lax", "None"];

/**
 * Adds a `Set-Cookie` header (RFC 6265 §4.1) to `headers`: for the head of an answer, or the 101 of
 * a socket. The value is written as it is.
 *
 * @throws {TypeError} A name, value, path, domain or `sameSite` that no cookie can have, or
 * `SameSite=None` without `secure`, which browsers drop.
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
  options: SetCookieOptions = {},
): void {
  const { path = "/", domain, sameSite = "Lax", secure = false, httpOnly = true } = options;
  check(NAME, name, "name");
  check(VALUE, value, "value");
  check(ATTRIBUTE, path, "path");
  if (domain !== undefined) check(ATTRIBUTE, domain, "domain");
  if (!SAME_SITE.includes(sameSite)) throw mistake("sameSite");
  if (sameSite === "None" && !secure) throw mistake("sameSite: None needs secure");
  const parts = [`${name}=${value}`, `Path=${path}`];
  if (domain !== undefined) parts.push(`Domain=${domain}`);
  if (options.maxAgeSeconds !== undefined) parts.push(`Max-Age=${wholeSeconds(options)}`);
  if (httpOnly) parts.push("HttpOnly");
  parts.push(`SameSite=${sameSite}`);
  if (secure) parts.push("Secure");
  headers.append("set-cookie", parts.join("; "));
}

/**
 * Adds a `Set-Cookie` header that makes the browser forget a cookie: that of the same name, path and
 * domain.
 *
 * @throws {TypeError} A name, path or domain that no cookie can have.
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
export function deleteCookie(headers: Headers, name: string, place: CookiePlace = {}): void {
  const secure = /^__(?:Host|Secure)-/.test(name); // Browsers ignore such a header without it.
  setCookie(headers, name, "", { ...place, secure, maxAgeSeconds: 0 });
}

function wholeSeconds({ maxAgeSeconds = 0 }: SetCookieOptions): number {
  if (Number.isNaN(maxAgeSeconds)) throw mistake("maxAgeSeconds");
  return Math.max(0, Math.floor(maxAgeSeconds));
}

function check(pattern: RegExp, text: string, what: string): void {
  if (!pattern.test(text)) throw mistake(what);
}

function mistake(what: string): TypeError {
  return new TypeError(`Cannot set a cookie: its ${what} is not valid`);
}
