import { adding, type Application, type Middleware, type OriginScope } from "../core/scope.ts";
import { withSession } from "../sessions/with_session.ts";
import type { AuthParts } from "./auth_parts.ts";
import { type UserScope, withUser } from "./with_user.ts";

/** A scope that `login()`, `logout()` and `currentUser()` accept. */
export interface AuthScope extends UserScope {
  /** The stores, for `login()` and `logout()`. */
  readonly auth: AuthParts;
}

/**
 * Finds the session and the user of a connection (`withSession()`, then `withUser()`), and lets its
 * consumer use `login()`, `logout()` and `currentUser()`. Corresponds to `AuthMiddlewareStack` in
 * Channels.
 *
 * Anonymous connections pass; `requireUser()` refuses them. Origins are not checked: wrap it in
 * `withOrigins()`.
 */
export function withAuth<S>(
  auth: AuthParts,
  next: Application<S & AuthScope>,
): Application<S & OriginScope> {
  const { sessions, users } = auth;
  return withSession<S>(sessions, withUser<S>(users, adding({ auth }, next)));
}

/**
 * The middleware of {@linkcode withAuth} for a `stack()`: `session()` and `user()` in one, with `login()`
 * and `logout()` for consumers.
 *
 * @example
 * ```ts
 * import {
 *   MemorySessionStore,
 *   MemoryUserStore,
 *   origins,
 *   requireUser,
 *   Sessions,
 *   stack,
 * } from "@sluice/sluice";
 * import { auth } from "@sluice/sluice/auth";
 *
 * const sessions = new Sessions(new MemorySessionStore());
 * const users = new MemoryUserStore();
 * const known = stack().use(origins()).use(auth({ sessions, users })).use(requireUser());
 * ```
 */
export function auth(parts: AuthParts): Middleware<OriginScope, AuthScope> {
  return (next) => withAuth(parts, next);
}
