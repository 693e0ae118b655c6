import { define } from "../../../app/define.ts";
import { byMethod } from "../../../app/methods.ts";
import { signInPage } from "../../../app/sign_in_page.tsx";

/** Handles a provider's callback. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) => signInPage(ctx, (signIn, request) => signIn.finish(request, ctx.params.provider!)),
}));
