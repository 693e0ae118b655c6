import { parseCookies } from "../../core/request_values.ts";
import { isSecure } from "../../sessions/credential.ts";
import { isSecret } from "../../sessions/tokens/secrets.ts";
import { serializeCookie } from "../../sessions/cookie.ts";
import type { SignInRequest } from "./sign_in_request.ts";

/** How long a user may take at the provider, in milliseconds. */
export const TRANSACTION_TTL_MS = 600_000;

/** Most pending sign-ins of one browser. Past it, the oldest one is dropped. */
const MAX_BEGUN = 10;

/** Most cookies that one response deletes. */
const MAX_DROPPED = 20;

const NAME = /^(?:__Host-)?signin-[\w-]{16}$/;

/**
 * Returns the secret that binds this browser to the sign-in with the given key.
 *
 * Each sign-in has its own cookie, so that tabs which begin at the same moment do not overwrite
 * each other's.
 */
export function browserSecretOf(request: SignInRequest, key: string): string | undefined {
  const value = parseCookies(request.headers.get("cookie")).get(cookieName(request, key));
  return readValue(value)?.secret;
}

/** Returns the cookie that binds a browser to a sign-in, and cookies that delete its oldest ones. */
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

/** Returns the cookie that deletes the binding to a finished sign-in. */
export function endedBrowserCookie(request: SignInRequest, key: string): string {
  return write(request, cookieName(request, key), "", 0);
}

function write({ url }: SignInRequest, name: string, value: string, maxAgeSeconds: number): string {
  return serializeCookie(name, value, { secure: isSecure(url), maxAgeSeconds });
}

/** The key is a hash of `state`: its first characters reveal nothing. */
function cookieName({ url }: SignInRequest, key: string): string {
  return `${isSecure(url) ? "__Host-" : ""}signin-${key.slice(0, 16)}`;
}

function readValue(value = ""): { begunAt: number; secret: string } | undefined {
  const [, time = "", secret = ""] = /^([0-9a-z]{1,11})\.(.+)$/.exec(value) ?? [];
  return isSecret(secret) ? { begunAt: parseInt(time, 36), secret } : undefined;
}
