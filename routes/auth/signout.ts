import { define } from "../../app/define.ts";
import { byMethod } from "../../app/methods.ts";
import { signInPage } from "../../app/sign_in_page.tsx";

/** Ends the browser's session, and every socket of it. */
export const handlers = define.handlers(byMethod({
  POST: (ctx) => signInPage(ctx, (signIn, request) => signIn.signOut(request)),
}));
