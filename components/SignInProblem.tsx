import { Head } from "fresh/runtime";

/** What went wrong with a sign-in. */
export interface SignInProblemProps {
  readonly message: string;
  /** The provider's own words. */
  readonly reason?: string | undefined;
  readonly retryHref: string;
}

/** Says that a sign-in failed, and how to try again. */
export function SignInProblem({ message, reason, retryHref }: SignInProblemProps) {
  return (
    <main class="notice">
      <Head>
        <title>Sign-in failed · Sluice</title>
      </Head>
      <h1>Sign-in failed</h1>
      <p>{message}.</p>
      {reason !== undefined && <p class="quote">“{reason}”</p>}
      <p>
        <a class="button" href={retryHref}>Try again</a> <a href="/">Go home</a>
      </p>
    </main>
  );
}
