/**
 * Sessions: sign-ins of browsers, kept in a store, found by a cookie, and bound to every connection
 * that was opened with them.
 *
 * {@linkcode createSessions} is the usual wiring. {@linkcode Sessions} has the rules, {@linkcode KvSessionStore} and {@linkcode MemorySessionStore}
 * store sessions, {@linkcode withSession} puts the session into a connection's scope, and
 * {@linkcode findSession} does the same for pages. {@linkcode ExternalSessions} is for sessions that the
 * application keeps itself.
 *
 * @module
 */
export { bearerToken, credentialOf } from "./credential.ts";
export { sessionCookie } from "./cookie.ts";
export { createSessions } from "./create_sessions.ts";
export { ExternalSessions } from "./external/external_sessions.ts";
export type { Identity } from "./external/identity.ts";
export { MemorySessionStore } from "./memory_session_store.ts";
export type { FoundSession, Session, SessionEvent } from "./session.ts";
export type { SessionRecord } from "./session_record.ts";
export type { SessionStore } from "./session_store.ts";

export { Sessions } from "./sessions.ts";
export { findSession } from "./find_session.ts";
export { session, type SessionScope } from "./with_session.ts";
