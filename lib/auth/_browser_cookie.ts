import { isSecret, isSecure, parseCookies, serializeCookie } from "../sessions/mod.ts";
import type { SignInRequest } from "./sign_in.ts";

/** How long a person may take at the provider, in milliseconds. */
export const TRANSACTION_TTL_MS = 600_000;

/** Returns the secret that ties this browser to the sign-ins that it began. */
export function browserSecretOf(request: SignInRequest): string | undefined {
  const cookies = parseCookies(request.headers.get("cookie"));
  const secret = cookies.get(cookieName(isSecure(request.url)));
  return secret !== undefined && isSecret(secret) ? secret : undefined;
}

/**
 * Writes the cookie that ties a browser to the sign-ins that it began: one for all its tabs, so that
 * there is never more than one of them.
 */
export function browserCookie(secret: string, secure: boolean): string {
  return serializeCookie(cookieName(secure), secret, {
    secure,
    maxAgeSeconds: TRANSACTION_TTL_MS / 1000,
  });
}

function cookieName(secure: boolean): string {
  return secure ? "__Host-signin" : "signin";
}
