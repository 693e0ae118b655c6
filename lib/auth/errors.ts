import { cleanText } from "./_clean_text.ts";

const STATUS: Readonly<Record<SignInError["code"], number>> = {
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

const MESSAGE: Readonly<Record<SignInError["code"], string>> = {
  NOT_A_NAVIGATION: "Open this address in a window or tab, not inside another page",
  ALREADY_SIGNED_IN: "You are signed in, and a page of another site asked to sign you in again",
  UNKNOWN_PROVIDER: "This site does not offer that way to sign in",
  LOCAL_ONLY: "The development sign-in works only on this machine and without a proxy",
  STATE_MISSING: "This sign-in was not begun here",
  TRANSACTION_INVALID:
    "This sign-in has expired, was already used, or was begun in another browser",
  PROVIDER_DENIED: "The provider did not let you sign in",
  PROVIDER_UNAVAILABLE: "The provider cannot be reached, or its response was not valid",
  PROFILE_INCOMPLETE: "The provider did not say who you are",
  BANNED: "Your account is banned",
  TOO_MANY_ATTEMPTS: "Too many attempts to sign in. Wait a moment, then try again",
  UNAVAILABLE: "Signing in is temporarily not possible",
};

/** Options of {@linkcode SignInError}. */
interface SignInErrorOptions {
  /** The HTTP status of a response. */
  readonly status?: number;
  /** The provider's own message. Cleaned and cut to 200 characters. */
  readonly reason?: string | undefined;
  /** The provider's id, for a link to try again. */
  readonly provider?: string | undefined;
  /** Where the user wanted to go, for a link to try again: a path on this site. */
  readonly returnTo?: string | undefined;
  /** How long to wait before a new attempt, in seconds. */
  readonly retryAfterSeconds?: number | undefined;
  /** The error that caused it. *Security*: may hold details; log it only. */
  readonly cause?: unknown;
}

/**
 * Thrown when a sign-in fails. `status` and `message` are for the error page; `provider` and
 * `returnTo`, if known, for its link to try again.
 *
 * *Security*: `TRANSACTION_INVALID` does not say which check failed. `reason` is untrusted text:
 * escape it in HTML. `cause` may hold secrets: never log all of it.
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
  /** Always `SignInError`. */
  override readonly name = "SignInError";
  /** Why the sign-in failed. */
  readonly code:
    /** The request is for a subresource, not for a page: an image, a frame, a script's request. */
    | "NOT_A_NAVIGATION"
    /** A page of another site asked a signed-in user to sign in again. */
    | "ALREADY_SIGNED_IN"
    /** The requested provider is not configured. */
    | "UNKNOWN_PROVIDER"
    /** The provider accepts only requests from this machine. */
    | "LOCAL_ONLY"
    /** A callback without `state`: it was not begun here. */
    | "STATE_MISSING"
    /** A callback for a sign-in that is unknown, expired, already used, or another browser's. */
    | "TRANSACTION_INVALID"
    /** The provider, or the user there, refused. */
    | "PROVIDER_DENIED"
    /** The provider is down, too slow, or sent an invalid response. */
    | "PROVIDER_UNAVAILABLE"
    /** The provider did not identify the user. */
    | "PROFILE_INCOMPLETE"
    /** The user is banned. */
    | "BANNED"
    /** Too many attempts from one address. */
    | "TOO_MANY_ATTEMPTS"
    /** Our own database cannot be reached. */
    | "UNAVAILABLE";
  /** The HTTP status of a response. */
  readonly status: number;
  /** The provider's own reason, for the log. */
  readonly reason: string | undefined;
  /** The id of the provider, if known. */
  readonly provider: string | undefined;
  /** Where the user wanted to go, a path of this site. */
  readonly returnTo: string | undefined;
  /** How long to wait before another attempt, in seconds. */
  readonly retryAfterSeconds: number | undefined;

  /** Creates an error with the message and status of its code. */
  constructor(code: SignInError["code"], options: SignInErrorOptions = {}) {
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

  /** Returns the same error with more context. */
  with(options: {
    readonly provider?: string | undefined;
    readonly returnTo?: string | undefined;
  }): SignInError {
    return new SignInError(this.code, {
      status: this.status,
      reason: this.reason,
      retryAfterSeconds: this.retryAfterSeconds,
      cause: this.cause,
      ...options,
    });
  }
}
