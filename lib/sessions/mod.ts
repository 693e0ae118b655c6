/**
 * Sessions: sign-ins of browsers, kept in a store, found by a cookie, and bound to every connection
 * that was opened with them.
 *
 * {@linkcode createSessions} is the usual wiring. {@linkcode Sessions} has the rules, {@linkcode KvSessionStore} and {@linkcode MemorySessionStore}
 * store sessions, {@linkcode withSession} puts the session into a connection's scope, and
 * {@linkcode findSession} does the same for pages.
 *
 * @module
 */
export {
  bearerToken,
  type Credential,
  credentialOf,
  isSecure,
  sessionCookieName,
} from "./credential.ts";
export { type CookieOptions, deletedSessionCookie, sessionCookie } from "./cookie.ts";
export {
  createSessions,
  type CreateSessionsOptions,
  type SessionServices,
} from "./create_sessions.ts";
export { ExternalSessions } from "./external/external_sessions.ts";
export type { ExternalSessionsOptions } from "./external/external_sessions_options.ts";
export type { Identity } from "./external/identity.ts";
export { type GroupLayer, RevocationBroadcast } from "./revocation/revocation_broadcast.ts";
export { SessionNotices, tellNotices } from "./connections/session_notices.ts";
export type { ControlLog, ControlPage } from "./revocation/control_log.ts";
export { KvControlLog } from "./revocation/kv_control_log.ts";
export { KvSocketCounts } from "./connections/kv_socket_counts.ts";
export { KvSessionStore } from "./kv_session_store.ts";
export { MemorySessionStore } from "./memory_session_store.ts";
export type {
  FoundSession,
  NewToken,
  RenewedToken,
  Session,
  SessionEndReason,
  SessionEvent,
  SessionKind,
} from "./session.ts";
export type { NewSession, SessionRecord, StoredSecrets } from "./session_record.ts";
export type { Announce, SessionStore } from "./session_store.ts";
export type { StoredTagKeys, TagKey, TagKeyStore } from "./tokens/tag_keys.ts";
export type { SessionsOptions } from "./session_rules.ts";
export { Sessions } from "./sessions.ts";
export { isId } from "./tokens/session_token.ts";
export { findSession, findSessionByTokens, type RequestSession } from "./find_session.ts";
export { session, type SessionScope, type SessionState } from "./with_session.ts";
