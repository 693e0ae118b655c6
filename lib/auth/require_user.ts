import { guarded } from "../core/guards.ts";
import type { Application, AudienceScope, Middleware, Scope } from "../core/scope.ts";
import { Refusal, type RefusalCode } from "../protocol/mod.ts";
import type { SessionScope } from "../sessions/mod.ts";
import type { User } from "./users/user.ts";
import type { SignedInScope, UserScope } from "./with_user.ts";

const CODE: Readonly<Record<SessionScope["sessionState"], RefusalCode>> = {
  live: "NOT_SIGNED_IN",
  none: "NOT_SIGNED_IN",
  expired: "SESSION_EXPIRED",
  "ticket-invalid": "TICKET_INVALID",
};

/**
 * Lets signed-in users in and refuses anonymous clients: `NOT_SIGNED_IN`, `SESSION_EXPIRED` or
 * `TICKET_INVALID`, each a 401. Without `next` it is a middleware for a `stack()`.
 *
 * A removed user whose session is still live is not signed in.
 *
 * @example
 * ```ts
 * import { requireUser } from "@sluice/sluice";
 * import assert from "node:assert/strict";
 *
 * const hello = requireUser((scope) => new Response(`Hello ${scope.user.name}`));
 * assert.equal(typeof hello, "function");
 * ```
 */
export function requireUser<U extends { readonly id: string } = User>(): Middleware<
  UserScope<U>,
  SignedInScope<U> & AudienceScope
>;
/** Wraps an application directly, without a `stack()`. */
export function requireUser<S>(
  next: Application<S & SignedInScope & AudienceScope>,
): Application<S & UserScope>;
export function requireUser<S>(
  next?: Application<S & SignedInScope & AudienceScope>,
): unknown {
  return next === undefined ? usersOnly : usersOnly(next);
}

/**
 * Lets anonymous clients in as well: the explicit way to do without {@linkcode requireUser}.
 *
 * *Security*: sockets without a session are bounded only by their own lifetime, and
 * `socketLimits()` cannot count them by user.
 *
 * @example
 * ```ts
 * import { allowAnonymous, anyOrigin, stack } from "@sluice/sluice";
 *
 * const open = stack().use(anyOrigin()).use(allowAnonymous());
 * ```
 */
export function allowAnonymous(): Middleware<Scope, AudienceScope> {
  return (next) =>
    guarded(
      (scope) => next(Object.assign(scope, { audience: "anyone" } as const)),
      next,
      "audience",
    );
}

function usersOnly<S, U extends { readonly id: string }>(
  next: Application<S & SignedInScope<U> & AudienceScope>,
): Application<S & UserScope<U>> {
  const application: Application<S & UserScope<U>> = (scope) =>
    isSignedIn(scope)
      ? next(Object.assign(scope, { audience: "users" } as const))
      : Refusal.of(CODE[scope.sessionState]);
  return guarded(application, next, "audience");
}

function isSignedIn<S, U extends { readonly id: string }>(
  scope: S & UserScope<U>,
): scope is S & SignedInScope<U> {
  return scope.user !== undefined && scope.session !== undefined;
}
