import { define } from "../../app/define.ts";
import { byMethod } from "../../app/methods.ts";
import { signInPage } from "../../app/sign_in_page.tsx";

/** Ends the session and all its sockets. */
export const handlers = define.handlers(byMethod({
  POST: (ctx) => signInPage(ctx, (signIn, request) => signIn.signOut(request)),
}));
