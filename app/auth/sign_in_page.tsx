import type { Context } from "fresh";
import { type SignIn, SignInError } from "@sluice/sluice/auth";
import { PageTitle } from "../../components/PageTitle.tsx";
import { ProblemPage } from "../../components/ProblemPage.tsx";
import { signInWords } from "../../components/sign_in_words.ts";
import type { State } from "../http/define.ts";

/** Runs a step of sign-in; if it fails, renders an error page with a link to try again. */
export async function signInPage(
  ctx: Context<State>,
  work: (signIn: SignIn, request: Parameters<SignIn["begin"]>[0]) => Promise<Response>,
): Promise<Response> {
  const { services, peer, tokens } = ctx.state;
  const { url, address } = peer;
  try {
    return await work(services.signIn, { url, address, headers: ctx.req.headers, tokens });
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    const { status, code, reason, provider, returnTo, retryAfterSeconds } = error;
    const identity = code === "ALREADY_SIGNED_IN" ? await ctx.state.identity() : undefined;
    const headers = new Headers({ "cache-control": "no-store" });
    if (retryAfterSeconds !== undefined) {
      headers.set("retry-after", String(Math.ceil(retryAfterSeconds)));
    }
    const words = signInWords({ code, reason, signedInAs: identity?.user.name });
    const { title, detail, label, isError } = words;
    const action = { href: retryHref(provider, returnTo), label };
    return ctx.render(
      <>
        <PageTitle of={[title]} isError={isError} />
        <ProblemPage view={{ status, title, detail, action }} />
      </>,
      { status, headers },
    );
  }
}

function retryHref(provider: string | undefined, returnTo: string | undefined): string {
  const query = new URLSearchParams();
  if (provider !== undefined) query.set("provider", provider);
  if (returnTo !== undefined) query.set("return_to", returnTo);
  return provider === undefined ? `/signin?${query}` : `/auth/signin?${query}`;
}
