import { type Context, HttpError } from "fresh";
import { isAdmin } from "../../app/admins.ts";
import { browserPerson } from "../../app/browser_person.ts";
import type { Person, State } from "../../app/define.ts";

/**
 * Returns who looks after people and asks for a page of those who do.
 *
 * *Security*: to everybody else there is no such page; nobody in particular may sign in first.
 *
 * @throws {HttpError} 401 without a session, 404 for everybody else.
 * @throws {Refusal} As {@linkcode browserPerson}.
 */
export async function adminOf(ctx: Context<State>): Promise<Person> {
  const person = await browserPerson(ctx);
  if (person === undefined) throw new HttpError(401);
  if (!isAdmin(ctx.state.services.settings, person.user)) throw new HttpError(404);
  return person;
}
