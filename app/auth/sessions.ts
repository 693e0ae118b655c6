import type { SessionView } from "../../consumers/sessions_messages.ts";
import type { createSessions, Sessions } from "@sluice/sluice/sessions";
import { describeDevice, shortenAddress } from "./describe_device.ts";
import type { Identity } from "./identity.ts";

/** The services that {@linkcode listSessions} uses. */
export interface SessionListParts {
  readonly sessions: Sessions;
  readonly socketCounts: ReturnType<typeof createSessions>["socketCounts"];
}

/** Returns the sessions of a user, the current one first, then by last use. */
export async function listSessions(
  { sessions, socketCounts }: SessionListParts,
  { user, session: current }: Identity,
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
