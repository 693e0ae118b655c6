import { parseCookies } from "../protocol/mod.ts";
import { isSecret, isSecure, serializeCookie } from "../sessions/mod.ts";
import type { SignInRequest } from "./sign_in_request.ts";

/** How long a person may take at the provider, in milliseconds. */
export const TRANSACTION_TTL_MS = 600_000;

/** Sign-ins that one browser can have begun at a time: past it the oldest one is dropped. */
const MAX_BEGUN = 10;

/** Most cookies that one answer takes away. */
const MAX_DROPPED = 20;

const NAME = /^(?:__Host-)?signin-[\w-]{16}$/;

/**
 * Returns the secret that ties this browser to the sign-in with the given key.
 *
 * Each sign-in has a cookie of its own: tabs that begin at the same moment do not overwrite each
 * other's.
 */
export function browserSecretOf(request: SignInRequest, key: string): string | undefined {
  const value = parseCookies(request.headers.get("cookie")).get(cookieName(request, key));
  return readValue(value)?.secret;
}

/** Returns the cookie that ties a browser to a sign-in, and those that take its oldest ones away. */
export function browserCookies(
  request: SignInRequest,
  begun: { readonly key: string; readonly secret: string; readonly now: number },
): string[] {
  const { key, secret, now } = begun;
  const others = [...parseCookies(request.headers.get("cookie"))]
    .filter(([name]) => NAME.test(name))
    .map(([name, value]) => ({ name, begunAt: readValue(value)?.begunAt ?? 0 }))
    .sort((a, b) => b.begunAt - a.begunAt);
  const dropped = others.slice(MAX_BEGUN - 1).slice(-MAX_DROPPED);
  const value = `${now.toString(36)}.${secret}`;
  return [
    write(request, cookieName(request, key), value, TRANSACTION_TTL_MS / 1000),
    ...dropped.map(({ name }) => write(request, name, "", 0)),
  ];
}

/** Returns the cookie that takes away the tie to a sign-in that has ended. */
export function endedBrowserCookie(request: SignInRequest, key: string): string {
  return write(request, cookieName(request, key), "", 0);
}

function write({ url }: SignInRequest, name: string, value: string, maxAgeSeconds: number): string {
  return serializeCookie(name, value, { secure: isSecure(url), maxAgeSeconds });
}

/** The key is a hash of `state`: a part of it gives nothing away. */
function cookieName({ url }: SignInRequest, key: string): string {
  return `${isSecure(url) ? "__Host-" : ""}signin-${key.slice(0, 16)}`;
}

function readValue(value = ""): { begunAt: number; secret: string } | undefined {
  const [, time = "", secret = ""] = /^([0-9a-z]{1,11})\.(.+)$/.exec(value) ?? [];
  return isSecret(secret) ? { begunAt: parseInt(time, 36), secret } : undefined;
}
