import { define } from "../../app/http/define.ts";
import { byMethod } from "../../app/http/methods.ts";
import { signInPage } from "../../app/auth/sign_in_page.tsx";

/** Ends the session and all its sockets. */
export const handlers = define.handlers(byMethod({
  POST: (ctx) => signInPage(ctx, (signIn, request) => signIn.signOut(request)),
}));
