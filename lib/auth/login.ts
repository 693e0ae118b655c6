import { Refusal } from "../protocol/mod.ts";
import { type Session, sessionCookie } from "../sessions/mod.ts";
import { isSecure } from "../sessions/credential.ts";
import { deletedSessionCookie } from "../sessions/cookie.ts";
import { beginSession } from "./begin_session.ts";
import type { User } from "./users/user.ts";
import type { AuthScope } from "./with_auth.ts";

/**
 * Signs in a user: creates a session, stored when the promise resolves, and binds this connection
 * to it. A previous session of the connection ends, with all its other connections.
 *
 * Send `setCookie` to the browser. An open socket cannot set cookies: the user is then signed in
 * for this connection only.
 *
 * *Security*: the caller vouches for the user. The new session never reuses the id or the token of
 * the old one.
 *
 * @throws {Refusal} `FORBIDDEN`: the user was banned or removed meanwhile.
 *
 * @example
 * ```ts
 * import { HttpConsumer } from "@sluice/sluice";
 * import { type AuthScope, login, type User } from "@sluice/sluice/auth";
 *
 * // After a check of its own, such as a password.
 * class SignInConsumer extends HttpConsumer<AuthScope & { readonly checked: User }> {
 *   override async handle(): Promise<void> {
 *     const { setCookie } = await login(this.scope, this.scope.checked);
 *     await this.sendResponse(204, "", { "set-cookie": setCookie });
 *   }
 * }
 * ```
 */
export async function login(scope: AuthScope, user: User): Promise<{
  /** The new session. */
  readonly session: Session;
  /**
   * The `Set-Cookie` header that gives the browser its new session: for `addSetCookie()` of an
   * `HttpConsumer`, or for the headers of `accept()`.
   *
   * *Security*: it holds the session's token.
   */
  readonly setCookie: string;
}> {
  const { auth, auth: { sessions }, connection, session: before } = scope;
  const begun = await beginSession(auth, {
    userId: user.id,
    provider: user.provider,
    userAgent: scope.headers.get("user-agent") ?? undefined,
    address: scope.address,
  });
  if (begun === undefined) throw new Refusal("FORBIDDEN");
  const { session, token } = begun;
  sessions.connections.subscribe(session.id, connection);
  sessions.connections.track(session);
  Object.assign(scope, { session, sessionState: "live", user });
  if (before !== undefined) await sessions.end(before.id, "replaced");
  connection.scopeChanged(["session", "user"]);
  const secure = isSecure(scope.url);
  const setCookie = sessionCookie(token, { secure, maxAgeSeconds: sessions.cookieMaxAgeSeconds });
  return { session, setCookie };
}

/**
 * Signs out: ends the session and all its connections, on every process; stored when the promise
 * resolves. If this connection is a socket, it ends with the others (4401); a plain request stays,
 * so that it can be answered. Has no effect without a session.
 *
 * Returns the `Set-Cookie` header that deletes the browser's cookie.
 *
 * @example
 * ```ts
 * import { HttpConsumer } from "@sluice/sluice";
 * import { type AuthScope, logout } from "@sluice/sluice/auth";
 *
 * class SignOutConsumer extends HttpConsumer<AuthScope> {
 *   override async handle(): Promise<void> {
 *     await this.sendResponse(204, "", { "set-cookie": await logout(this.scope) });
 *   }
 * }
 * ```
 */
export async function logout(scope: AuthScope): Promise<string> {
  const { auth: { sessions }, connection, session } = scope;
  if (session !== undefined) {
    if (scope.type === "http") sessions.connections.unsubscribe(connection);
    Object.assign(scope, { session: undefined, sessionState: "none", user: undefined });
    await sessions.end(session.id, "signed-out");
  }
  return deletedSessionCookie(isSecure(scope.url));
}

/**
 * Reads the session and its user again, as they are stored now: two reads. Returns undefined if the
 * session has ended, or the user was removed or banned. Updates `scope.user`.
 *
 * @throws {Error} The store cannot be reached.
 */
export async function currentUser(scope: AuthScope): Promise<User | undefined> {
  const { sessions, users } = scope.auth;
  const session = scope.session && await sessions.get(scope.session.id);
  const stored = session && await users.get(session.userId);
  const user = stored?.bannedAt === undefined ? stored : undefined;
  Object.assign(scope, { user });
  return user;
}
