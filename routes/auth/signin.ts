import { define } from "../../app/http/define.ts";
import { byMethod } from "../../app/http/methods.ts";
import { signInPage } from "../../app/auth/sign_in_page.tsx";

/** Redirects the browser to a provider. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) => signInPage(ctx, (signIn, request) => signIn.begin(request)),
}));
