import { ProblemPage } from "./ProblemPage.tsx";

/** What went wrong with a sign-in. */
export interface SignInProblemProps {
  readonly status: number;
  readonly message: string;
  /** The provider's own words. */
  readonly reason?: string | undefined;
  readonly retryHref: string;
}

/** Says that a sign-in failed, and how to try again. */
export function SignInProblem({ status, message, reason, retryHref }: SignInProblemProps) {
  const detail = reason === undefined ? `${message}.` : `${message}. It says: “${reason}”`;
  const action = { href: retryHref, label: "Try again" };
  return <ProblemPage view={{ status, title: "Sign-in failed", detail, action }} />;
}
