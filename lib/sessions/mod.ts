/**
 * Sessions: sign-ins of browsers, kept in a store, found by a cookie, and bound to every connection
 * that was opened with them.
 *
 * {@linkcode Sessions} has the rules, {@linkcode KvSessionStore} and {@linkcode MemorySessionStore}
 * store sessions, {@linkcode withSession} puts the session into a connection's scope, and
 * {@linkcode findSession} does the same for pages.
 *
 * @module
 */
export { bearerToken } from "./bearer.ts";
export { type Credential, credentialOf } from "./credential.ts";
export {
  type CookieOptions,
  deletedSessionCookie,
  isSecure,
  serializeCookie,
  sessionCookie,
  sessionCookieName,
} from "./cookie.ts";
export { ControlGroup, type GroupLayer } from "./control_group.ts";
export {
  SessionNotices,
  type SessionNoticesOptions,
  type SignInSource,
  tellNotices,
} from "./session_notices.ts";
export { ControlFollower, type ControlTarget } from "./control_follower.ts";
export type { ControlLog, ControlPage } from "./control_log.ts";
export { KvConnection, type KvConnectionOptions, type KvSource } from "./kv_connection.ts";
export { type ControlledChange, KvControlLog } from "./kv_control_log.ts";
export { KvReads } from "./kv_reads.ts";
export { KvSocketCounts, type SocketCountsOptions } from "./kv_socket_counts.ts";
export { KvSessionStore } from "./kv_session_store.ts";
export type {
  BoundConnection,
  SessionBinding,
  SessionSource,
  SessionWatcher,
} from "./live_entry.ts";
export { type Follower, LiveSessions } from "./live_sessions.ts";
export { MemorySessionStore } from "./memory_session_store.ts";
export type {
  FoundSession,
  Session,
  SessionEndReason,
  SessionEvent,
  SessionKind,
  SessionLifetime,
} from "./session.ts";
export type { Announce, SessionRecord, SessionStore, StoredSecrets } from "./session_store.ts";
export type { NewSession, NewToken, RenewedToken } from "./new_session.ts";
export type { StoredTagKeys, TagKey } from "./tag_keys.ts";
export {
  type Outdate,
  type ReadTrust,
  RecentReads,
  type RecentReadsOptions,
} from "./recent_reads.ts";
export { type LoggedStore, Recollection, type RecollectionOptions } from "./recollection.ts";
export type { AnyToken } from "./session_proofs.ts";
export { Sessions, type SessionsOptions } from "./sessions.ts";
export {
  hashSecret,
  isId,
  isSecret,
  matchesHash,
  randomId,
  randomSecret,
  type SessionToken,
} from "./session_token.ts";
export { watchSession } from "./watch_session.ts";
export {
  admitSession,
  findSession,
  findSessionByTokens,
  type RequestSession,
  session,
  type SessionClaim,
  type SessionScope,
  type SessionState,
  withSession,
} from "./with_session.ts";
