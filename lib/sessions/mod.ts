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
export { type GroupLayer, RevocationBroadcast } from "./revocation/revocation_broadcast.ts";
export {
  SessionNotices,
  type SessionNoticesOptions,
  type SignInSource,
  tellNotices,
} from "./live/session_notices.ts";
export { LogPoller, type LogPollerTarget } from "./revocation/log_poller.ts";
export type { ControlLog, ControlPage } from "./revocation/control_log.ts";
export { KvConnection, type KvConnectionOptions, type KvSource } from "../kv/kv_connection.ts";
export { type ControlledChange, KvControlLog } from "./revocation/kv_control_log.ts";
export { KvReads } from "../kv/kv_reads.ts";
export { KvSocketCounts, type SocketCountsOptions } from "./live/kv_socket_counts.ts";
export { KvSessionStore } from "./kv_session_store.ts";
export type {
  SessionSource,
  SessionSubscription,
  SessionWatcher,
  SubscribedConnection,
} from "./live/registry_entry.ts";
export { ConnectionRegistry, type Follower } from "./live/connection_registry.ts";
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
export type { StoredTagKeys, TagKey } from "./tokens/tag_keys.ts";
export {
  type Outdate,
  type ReadTrust,
  RecentReads,
  type RecentReadsOptions,
} from "./cache/recent_reads.ts";
export { type LoggedStore, Recollection, type RecollectionOptions } from "./cache/recollection.ts";
export type { AnyToken } from "./tokens/session_proofs.ts";
export { Sessions, type SessionsOptions } from "./sessions.ts";
export {
  hashSecret,
  isId,
  isSecret,
  matchesHash,
  randomId,
  randomSecret,
  type SessionToken,
} from "./tokens/session_token.ts";
export { watchSession } from "./live/watch_session.ts";
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
