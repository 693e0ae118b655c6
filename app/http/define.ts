import { createDefine } from "fresh";
import type { Refusal } from "@sluice/sluice";
import type { resolvePeer } from "@sluice/sluice/server";
import type { Identity } from "../auth/identity.ts";
import type { Site } from "../site.ts";

/** The contents of `ctx.state` in every route. */
export interface State {
  services: Site;
  /** The request as the client sent it: behind a proxy, with the public URL. */
  peer: ReturnType<typeof resolvePeer>;
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
