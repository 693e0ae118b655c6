import type { Refusal, Scope, Sessions, UserScope } from "@sluice/sluice";
import type { Audit } from "@sluice/sluice/auth";

/**
 * Records the ends of sessions that this process causes, and expiries: each expiry once, even if
 * several processes notice it.
 */
export function auditSessions(sessions: Sessions, audit: Audit): void {
  sessions.subscribe((event) => {
    if (event.type === "ended") {
      const { sessionId, userId, reason: code, by } = event;
      audit.write({ kind: "session-ended", sessionId, userId, code, by });
    } else if (event.type === "user-ended") {
      const kind = event.reason === "user-banned" ? "user-banned" : "user-removed";
      audit.write({ kind, userId: event.userId, by: event.by });
    }
  });
  sessions.onExpired(({ id: sessionId, userId, expiresAt }) => {
    const event = { kind: "session-ended", sessionId, userId, code: "expired" } as const;
    audit.writeOnce(`expired ${sessionId}`, event, expiresAt);
  });
}

/** Records the refusals of the socket handler. */
export function auditRefusals(audit: Audit): (refusal: Refusal, scope: Scope) => void {
  return ({ code }, scope) => {
    // A plain request that passed every check.
    if (code === "UPGRADE_REQUIRED") return;
    const { user, session }: Partial<UserScope> = scope;
    const { path, address } = scope;
    const [userId, sessionId] = [user?.id, session?.id];
    audit.write({ kind: "refused", code, userId, sessionId, path, address });
  };
}
