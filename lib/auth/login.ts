import { Refusal } from "../protocol/mod.ts";
import { deletedSessionCookie, isSecure, type Session, sessionCookie } from "../sessions/mod.ts";
import { tieOf } from "../sessions/watch_session.ts";
import { beginSession } from "./begin_session.ts";
import type { User } from "./user.ts";
import type { AuthScope } from "./with_auth.ts";

/** What {@linkcode login} began. */
export interface LoginResult {
  readonly session: Session;
  /**
   * The `Set-Cookie` header that gives the browser its new session: for `addSetCookie()` of an
   * `HttpConsumer`, or for the headers of `accept()`.
   *
   * *Security*: it holds the session's token.
   */
  readonly setCookie: string;
}

/**
 * Signs somebody in: begins a new session, saved when the promise resolves, and ties this connection
 * to it. A session that the connection had before is over, and with it every other connection of it.
 *
 * The browser must be given `setCookie`. Once a socket is open it cannot be given any more: the
 * person is signed in for this connection alone then.
 *
 * *Security*: whoever calls it vouches for the person. The new session never keeps an id or a token
 * of the old one.
 *
 * @throws {Refusal} `FORBIDDEN`: the user was banned or removed meanwhile.
 */
export async function login(scope: AuthScope, user: User): Promise<LoginResult> {
  const { auth, auth: { sessions }, connection, session: before } = scope;
  const begun = await beginSession(auth, {
    userId: user.id,
    provider: user.provider,
    userAgent: scope.headers.get("user-agent") ?? undefined,
    address: scope.address,
  });
  if (begun === undefined) throw new Refusal("FORBIDDEN");
  const { session, token } = begun;
  sessions.live.bind(session.id, connection, tieOf(connection));
  sessions.live.track(session);
  Object.assign(scope, { session, sessionState: "live", user });
  if (before !== undefined) {
    sessions.live.unbind(before.id, connection);
    await sessions.end(before.id, "replaced");
  }
  connection.scopeChanged(["session", "user"]);
  const secure = isSecure(scope.url);
  const setCookie = sessionCookie(token, { secure, maxAgeSeconds: sessions.cookieMaxAgeSeconds });
  return { session, setCookie };
}

/**
 * Signs out: ends the session with every connection of it, on every process, saved when the promise
 * resolves. This connection ends with the others (4401) where it is a socket; a plain request stays,
 * so that it can be answered. No effect where nobody is signed in.
 *
 * Returns the `Set-Cookie` header that takes the browser's cookie away.
 */
export async function logout(scope: AuthScope): Promise<string> {
  const { auth: { sessions }, connection, session } = scope;
  if (session !== undefined) {
    if (scope.type === "http") sessions.live.unbind(session.id, connection);
    Object.assign(scope, { session: undefined, sessionState: "none", user: undefined });
    await sessions.end(session.id, "signed-out");
  }
  return deletedSessionCookie(isSecure(scope.url));
}

/**
 * Reads again who is signed in: the session and the person as they are stored now, two reads.
 * Undefined where the session is over, or the person was removed or banned. `scope.user` is what it
 * returned.
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
