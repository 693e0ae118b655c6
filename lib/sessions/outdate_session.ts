import type { RecentReads } from "./recent_reads.ts";
import type { SessionEvent } from "./session.ts";
import type { SessionRecord } from "./session_store.ts";

/** Takes out the stored sessions that an event makes out of date: what it says of secrets may be new. */
export function outdateSession(event: SessionEvent, reads: RecentReads<SessionRecord>): void {
  switch (event.type) {
    case "ended":
      return reads.forget(event.sessionId);
    case "renewed":
      return reads.forget(event.session.id);
    case "user-ended":
      return reads.forgetWhere(({ userId }) => userId === event.userId);
    case "user-changed": // Their sessions stay what they are.
  }
}
