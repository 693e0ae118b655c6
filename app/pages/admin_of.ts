import { type Context, HttpError } from "fresh";
import { isAdmin } from "../admin/admins.ts";
import { browserPerson } from "../auth/browser_person.ts";
import type { Person, State } from "../http/define.ts";

/**
 * Returns the admin who requests an admin page.
 *
 * *Security*: for all other users, the page does not exist; an anonymous user may sign in first.
 *
 * @throws {HttpError} 401 without a session, 404 for users who are not admins.
 * @throws {Refusal} As {@linkcode browserPerson}.
 */
export async function adminOf(ctx: Context<State>): Promise<Person> {
  const person = await browserPerson(ctx);
  if (person === undefined) throw new HttpError(401);
  if (!isAdmin(ctx.state.services.settings, person.user)) throw new HttpError(404);
  return person;
}
