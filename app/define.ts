import { createDefine } from "fresh";
import type { Refusal } from "@sluice/sluice";
import type { User } from "@sluice/sluice/auth";
import type { Peer } from "@sluice/sluice/server";
import type { Session } from "@sluice/sluice/sessions";
import type { Services } from "./services.ts";

/** Somebody who is signed in. */
export interface Person {
  readonly user: User;
  readonly session: Session;
}

/** What every route finds in `ctx.state`. */
export interface State {
  services: Services;
  /** The request as its sender made it: behind a proxy, the public URL. */
  peer: Peer;
  /** The body of the request: `formOf()` and `textOf()` read it. Empty on `/ws/…`. */
  body: Uint8Array<ArrayBuffer>;
  /**
   * The session tokens that the request shows and its route accepts.
   *
   * *Security*: credentials; never log them.
   */
  tokens: readonly string[];
  /**
   * Returns who makes the request, read once, or undefined: nobody.
   *
   * @throws {Refusal} `UNAVAILABLE`: the database cannot be reached.
   */
  person(): Promise<Person | undefined>;
  /** Returns who makes the request, or says why that is nobody. Throws as {@linkcode person}. */
  identity(): Promise<Person | Refusal>;
}

/** Fresh's `define`, with this app's state. */
export const define = createDefine<State>();
