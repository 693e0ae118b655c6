import type { Application } from "../scope.ts";
import { Refusal } from "../protocol/mod.ts";
import type { SessionState } from "../sessions/mod.ts";
import type { SignedInScope, UserScope } from "./with_user.ts";

/**
 * Lets in who is signed in, and refuses the others: `NOT_SIGNED_IN`, `SESSION_EXPIRED` or
 * `TICKET_INVALID`, each a 401.
 *
 * Somebody whose session lives but who was removed is not signed in.
 *
 * @example
 * ```ts
 * import { requireUser } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const hello = requireUser((scope) => new Response(`Hello ${scope.user.name}`));
 * assert.equal(typeof hello, "function");
 * ```
 */
export function requireUser<S>(next: Application<S & SignedInScope>): Application<S & UserScope> {
  // Made once: an error costs as much as all the rest of a refusal.
  const notSignedIn = new Refusal("NOT_SIGNED_IN");
  const refusals: Readonly<Record<SessionState, Refusal>> = {
    live: notSignedIn,
    none: notSignedIn,
    expired: new Refusal("SESSION_EXPIRED"),
    "ticket-invalid": new Refusal("TICKET_INVALID"),
  };
  return (scope) => isSignedIn(scope) ? next(scope) : refusals[scope.sessionState];
}

function isSignedIn<S>(scope: S & UserScope): scope is S & SignedInScope {
  return scope.user !== undefined && scope.session !== undefined;
}
