import type { Person } from "./define.ts";
import type { Services } from "./services.ts";

/** A session as its owner sees it. */
export interface SessionView {
  readonly id: string;
  /** ISO 8601, as all times here. */
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
  readonly userAgent: string;
  /** Whether it is the one that asks. */
  readonly current: boolean;
  /** Open sockets. */
  readonly sockets: number;
}

/** Returns the sessions of a person, the current one first, then by last use. */
export async function listSessions(
  { sessions }: Services,
  { user, session: current }: Person,
): Promise<SessionView[]> {
  const all = await sessions.list(user.id);
  return all
    .toSorted((a, b) => rank(b) - rank(a))
    .map((session) => ({
      id: session.id,
      createdAt: new Date(session.createdAt).toISOString(),
      lastSeenAt: new Date(session.lastSeenAt).toISOString(),
      expiresAt: new Date(session.expiresAt).toISOString(),
      userAgent: session.userAgent,
      current: session.id === current.id,
      sockets: sessions.live.count(session.id),
    }));

  function rank(session: { id: string; lastSeenAt: number }): number {
    return session.id === current.id ? Infinity : session.lastSeenAt;
  }
}
