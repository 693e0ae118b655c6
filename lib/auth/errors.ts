import { cleanText } from "./_clean_text.ts";

/** Why a sign-in failed. Stable. */
export type SignInErrorCode =
  /** The request is for a part of a page, not for a page: a picture, a frame, a script's call. */
  | "NOT_A_NAVIGATION"
  /** A page of another site asked to sign in again a person who is signed in. */
  | "ALREADY_SIGNED_IN"
  /** The provider that was asked for is not one of ours. */
  | "UNKNOWN_PROVIDER"
  /** The provider is for requests of this machine alone. */
  | "LOCAL_ONLY"
  /** A callback without `state`: nobody began this here. */
  | "STATE_MISSING"
  /** A callback for a sign-in that is unknown, over, used up, or another browser's. */
  | "TRANSACTION_INVALID"
  /** The provider, or the person there, said no. */
  | "PROVIDER_DENIED"
  /** The provider is down, slow, or answers what it must not. */
  | "PROVIDER_UNAVAILABLE"
  /** The provider did not say who it is. */
  | "PROFILE_INCOMPLETE"
  /** The person may not sign in here any more. */
  | "BANNED"
  /** Too many attempts from one address. */
  | "TOO_MANY_ATTEMPTS"
  /** Our own database cannot be reached. */
  | "UNAVAILABLE";

const STATUS: Readonly<Record<SignInErrorCode, number>> = {
  NOT_A_NAVIGATION: 403,
  ALREADY_SIGNED_IN: 409,
  UNKNOWN_PROVIDER: 404,
  LOCAL_ONLY: 403,
  STATE_MISSING: 400,
  TRANSACTION_INVALID: 400,
  PROVIDER_DENIED: 400,
  PROVIDER_UNAVAILABLE: 502,
  PROFILE_INCOMPLETE: 502,
  BANNED: 403,
  TOO_MANY_ATTEMPTS: 429,
  UNAVAILABLE: 503,
};

const MESSAGE: Readonly<Record<SignInErrorCode, string>> = {
  NOT_A_NAVIGATION: "Open this address in a window of its own",
  ALREADY_SIGNED_IN: "You are signed in, and a page of another site asked to sign you in again",
  UNKNOWN_PROVIDER: "There is no such way to sign in here",
  LOCAL_ONLY: "The development sign-in is for this machine only, without a proxy in between",
  STATE_MISSING: "This sign-in was not begun here",
  TRANSACTION_INVALID: "This sign-in is over, or was begun in another browser",
  PROVIDER_DENIED: "The provider did not let you sign in",
  PROVIDER_UNAVAILABLE: "The provider cannot be reached, or did not answer as it should",
  PROFILE_INCOMPLETE: "The provider did not say who you are",
  BANNED: "You may not sign in here any more",
  TOO_MANY_ATTEMPTS: "Too many attempts to sign in: wait a moment",
  UNAVAILABLE: "Signing in is not possible for the moment",
};

/** What is known of a sign-in that failed. */
export interface SignInErrorOptions {
  readonly status?: number;
  /** The provider's own words. Cleaned and cut to 200 characters. */
  readonly reason?: string | undefined;
  /** Which provider, for a way to try again. */
  readonly provider?: string | undefined;
  /** Where the person wanted to go, for a way to try again: a path on this site. */
  readonly returnTo?: string | undefined;
  /** What to wait before a new attempt, in seconds. */
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

/**
 * Thrown where a sign-in fails. `status` and `message` are for the page that says so; `provider` and
 * `returnTo`, where known, for its link to try again.
 *
 * *Security*: `TRANSACTION_INVALID` does not say which check failed. `reason` is text of somebody
 * else: escape it in HTML. `cause` may hold secrets: never log it whole.
 *
 * @example
 * ```ts
 * import { SignInError } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * assert.equal(new SignInError("STATE_MISSING").status, 400);
 * ```
 */
export class SignInError extends Error {
  override readonly name = "SignInError";
  readonly code: SignInErrorCode;
  readonly status: number;
  readonly reason: string | undefined;
  readonly provider: string | undefined;
  readonly returnTo: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: SignInErrorCode, options: SignInErrorOptions = {}) {
    super(MESSAGE[code], { cause: options.cause });
    this.code = code;
    this.status = options.status ?? STATUS[code];
    this.reason = options.reason === undefined
      ? undefined
      : cleanText(options.reason, 200) || undefined;
    this.provider = options.provider;
    this.returnTo = options.returnTo;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /** Returns the same error with what else is known. */
  with(options: Pick<SignInErrorOptions, "provider" | "returnTo">): SignInError {
    return new SignInError(this.code, {
      status: this.status,
      reason: this.reason,
      retryAfterSeconds: this.retryAfterSeconds,
      cause: this.cause,
      ...options,
    });
  }
}
