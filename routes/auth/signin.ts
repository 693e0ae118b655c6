import { define } from "../../app/define.ts";
import { signInPage } from "../../app/sign_in_page.tsx";

/** Sends the browser to a provider. */
export const handlers = define.handlers({
  GET: (ctx) => signInPage(ctx, (signIn, request) => signIn.begin(request)),
});
