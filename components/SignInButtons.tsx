/** Properties of {@linkcode SignInButtons}. */
export interface SignInButtonsProps {
  /** The ways to sign in. */
  readonly providers: readonly { readonly id: string; readonly name: string }[];
  /** Where to go afterwards: a path on this site. */
  readonly returnTo?: string | undefined;
}

/** One button for each way to sign in. */
export function SignInButtons({ providers, returnTo }: SignInButtonsProps) {
  if (providers.length === 0) {
    return <p class="notice">No sign-in provider is set up on this server yet.</p>;
  }
  return (
    <ul class="sign-in-buttons">
      {providers.map(({ id, name }) => (
        <li key={id}>
          <a class="button" href={signInHref(id, returnTo)}>
            {id === "dev" ? "Continue as a test user" : `Sign in with ${name}`}
          </a>
        </li>
      ))}
    </ul>
  );
}

function signInHref(provider: string, returnTo: string | undefined): string {
  const query = new URLSearchParams({ provider });
  if (returnTo) query.set("return_to", returnTo);
  return `/auth/signin?${query}`;
}
