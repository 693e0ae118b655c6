/**
 * Sessions: a browser's sign-in, kept in a store, found by a cookie, tied to every connection that
 * was opened with it.
 *
 * {@linkcode Sessions} has the rules, {@linkcode KvSessionStore} and {@linkcode MemorySessionStore}
 * keep, {@linkcode withSession} puts the session into a connection's scope, {@linkcode findSession}
 * does the same for pages.
 *
 * @module
 */
export {
  type CookieOptions,
  deletedSessionCookie,
  isSecure,
  parseCookies,
  serializeCookie,
  sessionCookie,
  sessionCookieName,
} from "./cookie.ts";
export { KvConnection, type KvConnectionOptions, type KvSource } from "./kv_connection.ts";
export { KvSessionStore } from "./kv_session_store.ts";
export {
  type BoundConnection,
  LiveSessions,
  type SessionBinding,
  type SessionSource,
} from "./live_sessions.ts";
export { MemorySessionStore } from "./memory_session_store.ts";
export type { Session, SessionEndReason, SessionEvent, SessionLifetime } from "./session.ts";
export type { SessionRecord, SessionStore } from "./session_store.ts";
export { type FoundSession, type NewSession, Sessions, type SessionsOptions } from "./sessions.ts";
export {
  hashSecret,
  isId,
  isSecret,
  matchesHash,
  randomId,
  randomSecret,
} from "./session_token.ts";
export {
  admitSession,
  findSession,
  type SessionClaim,
  type SessionScope,
  type SessionState,
  sessionTokenOf,
  withSession,
} from "./with_session.ts";
