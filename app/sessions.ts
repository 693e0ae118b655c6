import { describeDevice, shortenAddress } from "./describe_device.ts";
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
  /** The browser and its system, by a short name. A hint: anybody can send any name. */
  readonly device: string;
  /** Who vouched for the person at sign-in. */
  readonly provider: string;
  /** Where the sign-in came from, without the last part of the address. */
  readonly address: string | undefined;
  /** Whether it is the one that asks. */
  readonly current: boolean;
  /** Open sockets, over all processes: those of others as they were a second ago. */
  readonly sockets: number;
}

/** Returns the sessions of a person, the current one first, then by last use. */
export async function listSessions(
  { sessions, socketCounts }: Services,
  { user, session: current }: Person,
): Promise<SessionView[]> {
  const all = await sessions.list(user.id);
  const sockets = await socketCounts.count(all.map(({ id }) => id));
  return all
    .toSorted((a, b) => rank(b) - rank(a))
    .map((session) => ({
      id: session.id,
      createdAt: new Date(session.createdAt).toISOString(),
      lastSeenAt: new Date(session.lastSeenAt).toISOString(),
      expiresAt: new Date(session.expiresAt).toISOString(),
      userAgent: session.userAgent,
      device: describeDevice(session.userAgent),
      provider: session.provider,
      address: shortenAddress(session.address),
      current: session.id === current.id,
      sockets: sockets.get(session.id) ?? 0,
    }));

  function rank(session: { id: string; lastSeenAt: number }): number {
    return session.id === current.id ? Infinity : session.lastSeenAt;
  }
}
