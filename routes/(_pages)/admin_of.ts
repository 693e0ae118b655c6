import { type Context, HttpError } from "fresh";
import { isAdmin } from "../../app/admins.ts";
import type { Person, State } from "../../app/define.ts";

/**
 * Returns who looks after people and asks for a page of those who do.
 *
 * *Security*: to everybody else there is no such page; nobody in particular may sign in first.
 *
 * @throws {HttpError} 401 for nobody, 404 for everybody else.
 */
export async function adminOf({ state }: Context<State>): Promise<Person> {
  const person = await state.person();
  if (person === undefined) throw new HttpError(401);
  if (!isAdmin(state.services.settings, person.user)) throw new HttpError(404);
  return person;
}
