import type { Refusal, Scope } from "@sluice/sluice";
import type { Audit, UserScope } from "@sluice/sluice/auth";
import type { Sessions } from "@sluice/sluice/sessions";

/**
 * Notes the ends of sessions that this process brings about, and the expiries that it notices: those
 * once, however many processes do.
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

/** Notes who was turned away by the socket gate, and why. */
export function auditRefusals(audit: Audit): (refusal: Refusal, scope: Scope) => void {
  return ({ code }, scope) => {
    // A plain request that would have been let in.
    if (code === "UPGRADE_REQUIRED") return;
    const { user, session }: Partial<UserScope> = scope;
    const { path, address } = scope;
    const [userId, sessionId] = [user?.id, session?.id];
    audit.write({ kind: "refused", code, userId, sessionId, path, address });
  };
}
