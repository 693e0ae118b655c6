import type { SignInError } from "@sluice/sluice/auth";

/** The parts of a `SignInError` that a page uses. */
export interface FailedSignIn {
  readonly code: SignInError["code"];
  /** The provider's own description. */
  readonly reason: string | undefined;
  /** The name of the user that is already signed in. */
  readonly signedInAs: string | undefined;
}

/** The texts of the page for it. */
export interface SignInWords {
  readonly title: string;
  readonly detail: string;
  /** The label of the button to continue. */
  readonly label: string;
  /** Whether it is a failure: a cancelled sign-in or a question is not. */
  readonly isError: boolean;
}

const FAILED = "Sign-in failed";

const WORDS: Readonly<Record<SignInError["code"], readonly [title: string, detail: string]>> = {
  NOT_A_NAVIGATION: [FAILED, "Open this address in a window of its own."],
  ALREADY_SIGNED_IN: ["Sign in again?", "A page of another site asked to sign you in again."],
  UNKNOWN_PROVIDER: [FAILED, "This sign-in provider is not set up here."],
  LOCAL_ONLY: [FAILED, "The development sign-in works only on this machine, without a proxy."],
  STATE_MISSING: [FAILED, "This sign-in was not started here."],
  TRANSACTION_INVALID: [
    FAILED,
    "This sign-in link has expired or was started in another browser.",
  ],
  PROVIDER_DENIED: ["Sign-in cancelled", "The provider did not sign you in."],
  PROVIDER_UNAVAILABLE: [FAILED, "The provider can't be reached, or did not answer correctly."],
  PROFILE_INCOMPLETE: [FAILED, "The provider did not send your profile."],
  BANNED: [FAILED, "This account can't sign in here any more."],
  TOO_MANY_ATTEMPTS: [FAILED, "Too many attempts. Wait a moment, then try again."],
  UNAVAILABLE: [FAILED, "Sign-in is temporarily unavailable. Try again in a moment."],
};

/** Describes in plain language why a sign-in failed, or which question it asks. */
export function signInWords({ code, reason, signedInAs }: FailedSignIn): SignInWords {
  const [title, words] = WORDS[code];
  if (code === "ALREADY_SIGNED_IN") {
    const who = signedInAs === undefined ? "" : ` You are ${signedInAs} here.`;
    const detail = `${words}${who} If you did not ask for this, stay signed in as you are.`;
    return { title, detail, label: "Sign in again", isError: false };
  }
  const detail = reason === undefined ? words : `${words} It says: “${reason}”`;
  return { title, detail, label: "Try again", isError: code !== "PROVIDER_DENIED" };
}
