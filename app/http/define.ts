import { createDefine } from "fresh";
import type { Refusal } from "@sluice/sluice";
import type { User } from "@sluice/sluice/auth";
import type { Peer } from "@sluice/sluice/server";
import type { Session } from "@sluice/sluice/sessions";
import type { Services } from "../services.ts";

/** A signed-in user and their session. */
export interface Identity {
  readonly user: User;
  readonly session: Session;
}

/** The contents of `ctx.state` in every route. */
export interface State {
  services: Services;
  /** The request as the client sent it: behind a proxy, with the public URL. */
  peer: Peer;
  /** The body of the request: `formOf()` and `textOf()` read it. Empty on `/ws/…`. */
  body: Uint8Array<ArrayBuffer>;
  /**
   * The session tokens of the request that its route accepts.
   *
   * *Security*: credentials; never log them.
   */
  tokens: readonly string[];
  /**
   * Returns the user of the request, read once, or undefined.
   *
   * @throws {Refusal} `UNAVAILABLE`: the database cannot be reached.
   */
  identity(): Promise<Identity | undefined>;
  /** Returns the user of the request, or a refusal. Throws as {@linkcode identity}. */
  identityOrRefusal(): Promise<Identity | Refusal>;
}

/** Fresh's `define`, with this app's state. */
export const define = createDefine<State>();
