import type { Context } from "fresh";
import { Refusal } from "@sluice/sluice";
import type { Identity } from "./identity.ts";
import type { State } from "../http/define.ts";

/**
 * Returns the user of a request with a browser session; undefined without a session.
 *
 * *Security*: for pages that grant more than their own session: approval of programs, and
 * administration. The table in `credentials.ts` accepts only cookies for these pages; this function
 * refuses the token of a program sent as a cookie.
 *
 * @throws {Refusal} `NOT_SIGNED_IN`: the session is a program's. `UNAVAILABLE`: the database cannot be
 * reached.
 */
export async function browserIdentity({ state }: Context<State>): Promise<Identity | undefined> {
  const identity = await state.identity();
  if (identity?.session.kind !== "program") return identity;
  throw new Refusal("NOT_SIGNED_IN", { detail: "This page is for browsers, not for programs" });
}
