import type { KnownSession } from "./known_session.ts";
import type { RecentReads } from "./recent_reads.ts";
import type { SessionEvent } from "../session.ts";

/** Invalidates the cached sessions that an event concerns: their secrets may have changed. */
export function outdateSession(event: SessionEvent, reads: RecentReads<KnownSession>): void {
  switch (event.type) {
    case "ended":
      return reads.forget(event.sessionId);
    case "renewed":
      return reads.forget(event.session.id);
    case "user-ended":
      return reads.forgetWhere(({ session }) => session.userId === event.userId);
    case "user-changed": // The user's sessions did not change.
  }
}
