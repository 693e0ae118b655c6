import { page } from "fresh";
import { Refusal } from "@sluice/sluice";
import { define } from "../app/http/define.ts";
import { PageTitle } from "../components/PageTitle.tsx";
import { SignInButtons } from "../components/SignInButtons.tsx";
import { ONLY_GET } from "../app/pages/only_get.ts";
import { PRIVATE } from "../app/pages/private_page.ts";

export const handlers = define.handlers({
  ...ONLY_GET,
  async GET(ctx) {
    const { peer, services } = ctx.state;
    const returnTo = services.signIn.returnTo(peer.url);
    const found = await ctx.state.identityOrRefusal();
    if (!(found instanceof Refusal)) return ctx.redirect(returnTo, 303);
    const providers = services.signIn.providers.map(({ id, name }) => ({ id, name }));
    const hasExpired = found.code === "SESSION_EXPIRED";
    return page({ providers, returnTo, hasExpired }, { headers: PRIVATE });
  },
});

/** The sign-in page. */
export default define.page<typeof handlers>(function SignIn({ data }) {
  const { providers, returnTo, hasExpired } = data;
  return (
    <section class="page narrow">
      <PageTitle of={["Sign in"]} />
      <h1>Sign in</h1>
      <p class="lead">
        {hasExpired && "Your session has expired. "}
        Sign in to continue{returnTo !== "/" && (
          <>
            {" "}to <Destination path={returnTo} />
          </>
        )}.
      </p>
      <SignInButtons providers={providers} returnTo={returnTo} />
    </section>
  );
});

/** Returns the name of a room or of another site, which users know, or else the path. */
function Destination({ path }: { readonly path: string }) {
  if (!path.startsWith("/")) return <b>{new URL(path).host}</b>;
  const [, room] = /^\/rooms\/([\w-]+)$/.exec(path) ?? [];
  return room === undefined ? <bdi class="path">{path}</bdi> : <b>{room}</b>;
}
