import type { KnownSession } from "./known_session.ts";
import type { RecentReads } from "./recent_reads.ts";
import type { SessionEvent } from "./session.ts";

/** Takes out the stored sessions that an event makes out of date: what it says of secrets may be new. */
export function outdateSession(event: SessionEvent, reads: RecentReads<KnownSession>): void {
  switch (event.type) {
    case "ended":
      return reads.forget(event.sessionId);
    case "renewed":
      return reads.forget(event.session.id);
    case "user-ended":
      return reads.forgetWhere(({ session }) => session.userId === event.userId);
    case "user-changed": // Their sessions stay what they are.
  }
}
