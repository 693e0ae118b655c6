import type { Context } from "fresh";
import { Refusal } from "@sluice/sluice";
import { bearerToken } from "@sluice/sluice/sessions";
import type { Person, State } from "./define.ts";

/**
 * Returns who makes a request with a browser's cookie; undefined for a request without a session.
 *
 * *Security*: for pages on which a session gives away more than it has: approving programs, and what
 * admins do. A bearer token counts for nothing here, whatever cookie is beside it, and so does the
 * token of a program that is shown as a cookie.
 *
 * @throws {Refusal} `NOT_SIGNED_IN`: there is a session, but no browser's. `UNAVAILABLE`: the database
 * cannot be reached.
 */
export async function browserPerson({ req, state }: Context<State>): Promise<Person | undefined> {
  const person = await state.person();
  // The route's row in `credentials.ts` accepts no bearer token: this only says why.
  if (bearerToken(req.headers) !== undefined || person?.session.kind === "program") {
    throw new Refusal("NOT_SIGNED_IN", { detail: "This page is for browsers, not for programs" });
  }
  return person;
}
