import { type Context, HttpError } from "fresh";
import { isAdmin } from "../admin/admins.ts";
import { browserIdentity } from "../auth/browser_identity.ts";
import type { Identity } from "../auth/identity.ts";
import type { State } from "../http/define.ts";

/**
 * Returns the admin who requests an admin page.
 *
 * *Security*: for all other users, the page does not exist; an anonymous user may sign in first.
 *
 * @throws {HttpError} 401 without a session, 404 for users who are not admins.
 * @throws {Refusal} As {@linkcode browserIdentity}.
 */
export async function adminOf(ctx: Context<State>): Promise<Identity> {
  const identity = await browserIdentity(ctx);
  if (identity === undefined) throw new HttpError(401);
  if (!isAdmin(ctx.state.services.settings, identity.user)) throw new HttpError(404);
  return identity;
}
