import { isSecret } from "../../sessions/tokens/secrets.ts";
import { SignInError } from "../errors.ts";

const MAX_LOGIN_HINT_LENGTH = 256;

/**
 * The parts of a request that sign-in needs.
 *
 * @internal
 */
export interface SignInRequest {
  /** The public URL: behind a proxy, the one that users see. */
  readonly url: URL;
  /** The headers, with the cookies. */
  readonly headers: Headers;
  /** The client's address: for limits, for the list of sessions, and for {@linkcode DevProvider}. */
  readonly address?: string | undefined;
  /** The session tokens that this request may use. @default {those that `credentialOf()` finds} */
  readonly tokens?: readonly string[];
}

/**
 * Returns the `state` of a callback.
 *
 * @throws {SignInError} `STATE_MISSING`, or `TRANSACTION_INVALID` if it is malformed.
 */
export function stateOf(url: URL): string {
  const state = url.searchParams.get("state");
  if (!state) throw new SignInError("STATE_MISSING");
  if (!isSecret(state)) throw new SignInError("TRANSACTION_INVALID");
  return state;
}

/** Returns the requested `login_hint`, cut to 256 characters. */
export function loginHintOf(url: URL): string | undefined {
  return url.searchParams.get("login_hint")?.slice(0, MAX_LOGIN_HINT_LENGTH) || undefined;
}
