import type { AuditEntry, User, UserStore } from "@sluice/sluice/auth";
import type { UserView } from "../../components/users/user_view.ts";
import { isAdmin } from "./admins.ts";
import type { Services } from "../services.ts";

/** An event of a user, as shown to admins. */
export interface EventView {
  readonly kind: string;
  readonly code: string | undefined;
  readonly at: string;
  /** The login of the user who did it, if it was someone else. */
  readonly by: string | undefined;
}

type Parts = Pick<Services, "settings" | "sessions" | "socketCounts" | "users" | "audit">;

/** Most users on a page. */
const PAGE_SIZE = 25;

/** Most events shown for a user. */
const EVENTS = 20;

/** Most events searched for a removal: the ends of all the user's sessions follow right after it. */
const EVENTS_OF_REMOVED = 1_000;

/** Returns a page of users. */
export async function listUsers(
  parts: Parts,
  options: Pick<NonNullable<Parameters<UserStore["list"]>[0]>, "after" | "login">,
): Promise<{ users: UserView[]; next: string | undefined }> {
  const { users, next } = await parts.users.list({ ...options, limit: PAGE_SIZE });
  const views = await Promise.all(users.map((user) => viewUser(parts, user)));
  return { users: views, next };
}

/** Returns the current state of a user. */
export async function viewUser(
  { settings, sessions, socketCounts }: Parts,
  user: User,
): Promise<UserView> {
  const ids = (await sessions.list(user.id)).map(({ id }) => id);
  const sockets = [...(await socketCounts.count(ids)).values()];
  const { id, login, name, avatarUrl, provider, roles = [], bannedAt } = user;
  return {
    id,
    login,
    name,
    avatarUrl,
    provider,
    roles,
    isAdmin: isAdmin(settings, user),
    createdAt: new Date(user.createdAt).toISOString(),
    lastSignInAt: new Date(user.updatedAt).toISOString(),
    bannedAt: bannedAt === undefined ? undefined : new Date(bannedAt).toISOString(),
    sessions: ids.length,
    sockets: sockets.reduce((sum, count) => sum + count, 0),
  };
}

/** Returns the latest events of a user, newest first. */
export async function listEvents(parts: Parts, userId: string): Promise<EventView[]> {
  return await viewEvents(parts, await parts.audit.list(userId, { limit: EVENTS }));
}

/**
 * Returns the latest events of a removed user, newest first, including the removal. Empty if no
 * event of this id is stored.
 */
export async function listEventsOfRemoved(parts: Parts, userId: string): Promise<EventView[]> {
  const entries = await parts.audit.list(userId, { limit: EVENTS_OF_REMOVED });
  const shown = entries.filter(({ kind }, index) => index < EVENTS || kind === "user-removed");
  return await viewEvents(parts, shown);
}

async function viewEvents(
  { users }: Parts,
  entries: readonly AuditEntry[],
): Promise<EventView[]> {
  const doers = new Set(entries.map(({ by }) => by).filter((by) => by !== undefined));
  const logins = new Map(
    await Promise.all(
      [...doers].map(async (id) => [id, (await users.get(id))?.login ?? id] as const),
    ),
  );
  return entries.map((entry) => viewEvent(entry, logins));
}

function viewEvent(
  { kind, code, at, by }: AuditEntry,
  logins: ReadonlyMap<string, string>,
): EventView {
  return {
    kind,
    code,
    at: new Date(at).toISOString(),
    by: by === undefined ? undefined : logins.get(by),
  };
}
