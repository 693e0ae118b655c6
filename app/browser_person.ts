import type { Context } from "fresh";
import { Refusal } from "@sluice/sluice";
import type { Person, State } from "./define.ts";

/**
 * Returns who makes a request with the session of a browser; undefined for a request without one.
 *
 * *Security*: for pages on which a session gives away more than it has: approving programs, and what
 * admins do. Which credentials count is decided by the table of `credentials.ts`, where these pages
 * take cookies alone; here the token of a program is refused, which could be shown as a cookie.
 *
 * @throws {Refusal} `NOT_SIGNED_IN`: the session is a program's. `UNAVAILABLE`: the database cannot be
 * reached.
 */
export async function browserPerson({ state }: Context<State>): Promise<Person | undefined> {
  const person = await state.person();
  if (person?.session.kind !== "program") return person;
  throw new Refusal("NOT_SIGNED_IN", { detail: "This page is for browsers, not for programs" });
}
