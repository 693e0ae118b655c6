import { define } from "../../../app/http/define.ts";
import { byMethod } from "../../../app/http/methods.ts";
import { signInPage } from "../../../app/auth/sign_in_page.tsx";

/** Handles a provider's callback. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) => signInPage(ctx, (signIn, request) => signIn.finish(request, ctx.params.provider!)),
}));
