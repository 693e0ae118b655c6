import { ProblemPage } from "./ProblemPage.tsx";

/** What went wrong with a sign-in. */
export interface SignInProblemProps {
  readonly status: number;
  readonly message: string;
  /** The provider's own words. */
  readonly reason?: string | undefined;
  /** The name of the person who is signed in already. */
  readonly signedInAs?: string | undefined;
  readonly retryHref: string;
}

/** Says that a sign-in failed, and how to try again. */
export function SignInProblem(props: SignInProblemProps) {
  const { status, message, reason, signedInAs, retryHref } = props;
  if (signedInAs !== undefined) {
    const detail = `${message}. You are ${signedInAs} here. ` +
      "If you did not mean to sign in as another person, go on as you are.";
    const action = { href: retryHref, label: "Sign in again" };
    return <ProblemPage view={{ status, title: "Sign in again?", detail, action }} />;
  }
  const detail = reason === undefined ? `${message}.` : `${message}. It says: “${reason}”`;
  const action = { href: retryHref, label: "Try again" };
  return <ProblemPage view={{ status, title: "Sign-in failed", detail, action }} />;
}
