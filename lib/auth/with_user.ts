import {
  adding,
  type Application,
  type AudienceScope,
  guarded,
  type Middleware,
  type Scope,
} from "../core/scope.ts";
import { andThen, isPromise } from "../core/promises.ts";
import { Refusal } from "../protocol/mod.ts";
import type { RefusalCode } from "../protocol/refusal.ts";
import type { Session, SessionScope } from "../sessions/mod.ts";
import type { ReadCaches } from "../sessions/cache/read_cache.ts";
import {
  type SessionWatcher,
  subscriptionOf,
  watchSession,
} from "../sessions/connections/session_subscription.ts";
import { type LiveScope, LiveUsers } from "./users/live_users.ts";
import type { User } from "./users/user.ts";
import type { UserStore } from "./users/user_store.ts";

/**
 * What {@linkcode withUser} adds to the scope. With `ExternalSessions`, `U` is the application's own type
 * of users.
 */
export interface UserScope<U extends { readonly id: string } = User> extends SessionScope {
  /** The user, if the session is live and the user has not been removed. */
  readonly user: U | undefined;
}

/** The scope of a signed-in user. */
export interface SignedInScope<U extends { readonly id: string } = User> extends UserScope<U> {
  /** The signed-in user. */
  readonly user: U;
  /** The session of the user, live when the connection was accepted. */
  readonly session: Session;
}

/** `Retry-After` when the store cannot be reached, in seconds. */
const RETRY_AFTER_SECONDS = 5;

/**
 * Finds the user of a connection's session. One read, or none without a session or if the user is
 * in the read cache, which needs a control log. When the user changes, `scope.user` is replaced
 * within a second, and the consumer's `scopeChanged()` is called.
 *
 * Anonymous connections pass; {@linkcode requireUser} refuses them. Refuses with `UNAVAILABLE` if
 * the store cannot be reached.
 */
export function withUser<S>(
  users: UserStore,
  next: Application<S & UserScope>,
): Application<S & SessionScope> {
  const live = new LiveUsers(users);
  const application: Application<S & SessionScope> = (scope) => {
    const watch = scope.session && new UserWatch(live, scope as typeof scope & UserScope);
    // Watches before it reads, so that a change in between is not missed.
    if (watch !== undefined) watchSession(scope.connection, watch);
    const found = scope.session && find(scope, scope.session);
    return andThen(found, (user) => {
      if (user instanceof Refusal) return user;
      const identified = Object.assign(scope, { user });
      watch?.known();
      return next(identified);
    });
  };
  return guarded(application, next);

  function find(
    { connection }: Scope,
    { userId }: Session,
  ): User | undefined | Promise<User | undefined | Refusal> {
    const user = findUser(users, userId, subscriptionOf(connection).caches);
    if (!isPromise(user)) return user;
    return user.then((user) => user, (error: unknown) => {
      connection.log.error("users cannot be read", { error });
      return new Refusal("UNAVAILABLE", { retryAfterSeconds: RETRY_AFTER_SECONDS, cause: error });
    });
  }
}

/** Keeps the user of one scope current until its connection ends. */
class UserWatch implements SessionWatcher {
  readonly #live: LiveUsers;
  readonly #scope: LiveScope;
  #isKnown = false;
  #isOutdated = false;

  constructor(live: LiveUsers, scope: LiveScope) {
    this.#live = live;
    this.#scope = scope;
  }

  userChanged(): void {
    if (this.#isKnown) void this.#live.refresh(this.#scope);
    else this.#isOutdated = true;
  }

  /** Reports that the user has been read. */
  known(): void {
    this.#isKnown = true;
    if (this.#isOutdated) void this.#live.refresh(this.#scope);
  }
}

/**
 * The middleware of {@linkcode withUser} for a `stack()`: finds the user of the session.
 *
 * @example
 * ```ts
 * import {
 *   MemorySessionStore,
 *   MemoryUserStore,
 *   origins,
 *   session,
 *   Sessions,
 *   stack,
 *   user,
 * } from "@sluice/sluice";
 *
 * const sessions = new Sessions(new MemorySessionStore());
 * const known = stack().use(origins()).use(session(sessions)).use(user(new MemoryUserStore()));
 * ```
 */
export function user(users: UserStore): Middleware<SessionScope, UserScope> {
  return (next) => withUser(users, next);
}

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
  return (next) => adding({ audience: "anyone" } as const, next, "audience");
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

/**
 * Returns a user unless they are banned: one read, or none if the user is in the read cache, see
 * {@linkcode ReadCaches}.
 *
 * *Security*: banned users are not cached, so they are read each time. Cached users are frozen,
 * because connections share them.
 *
 * @throws {Error} The store cannot be reached.
 */
function findUser(
  users: UserStore,
  id: string,
  caches: ReadCaches | undefined,
): User | undefined | Promise<User | undefined> {
  const cache = caches?.ofUsers<User>(users);
  if (cache === undefined) return read(users, id);
  return cache.get(id) ?? cache.load(id, async (id) => freeze(await read(users, id)));
}

async function read(users: UserStore, id: string): Promise<User | undefined> {
  const user = await users.get(id);
  return user?.bannedAt === undefined ? user : undefined;
}

function freeze(user: User | undefined): User | undefined {
  Object.freeze(user?.roles);
  return Object.freeze(user);
}
