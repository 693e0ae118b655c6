import type { Context } from "fresh";
import { Head } from "fresh/runtime";
import { type SignIn, SignInError, type SignInRequest } from "@sluice/sluice/auth";
import { SignInProblem } from "../components/SignInProblem.tsx";
import type { State } from "./define.ts";

/** Does something with sign-in; where it fails, renders a page that says so and offers a new try. */
export async function signInPage(
  ctx: Context<State>,
  work: (signIn: SignIn, request: SignInRequest) => Promise<Response>,
): Promise<Response> {
  const { services, peer, tokens } = ctx.state;
  const { url, address } = peer;
  try {
    return await work(services.signIn, { url, address, headers: ctx.req.headers, tokens });
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    const { status, message, reason, provider, returnTo, retryAfterSeconds } = error;
    const asked = error.code === "ALREADY_SIGNED_IN";
    const person = asked ? await ctx.state.person() : undefined;
    const headers = new Headers({ "cache-control": "no-store" });
    if (retryAfterSeconds !== undefined) {
      headers.set("retry-after", String(Math.ceil(retryAfterSeconds)));
    }
    return ctx.render(
      <>
        <Head>
          <title>{asked ? "Sign in again?" : "Sign-in failed"} · Sluice</title>
        </Head>
        <SignInProblem
          status={status}
          message={message}
          reason={reason}
          signedInAs={person?.user.name}
          retryHref={retryHref(provider, returnTo)}
        />
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
