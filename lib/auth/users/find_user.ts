import type { RecentReads, Recollection, SessionEvent } from "../../sessions/mod.ts";
import type { User } from "./user.ts";
import type { UserStore } from "./user_store.ts";

/**
 * Returns a user unless they are banned: one read, or none if the user is in the read cache, see
 * {@linkcode Recollection}.
 *
 * *Security*: banned users are not cached, so they are read each time. Cached users are frozen,
 * because connections share them.
 *
 * @throws {Error} The store cannot be reached.
 */
export function findUser(
  users: UserStore,
  id: string,
  recollection: Recollection | undefined,
): User | undefined | Promise<User | undefined> {
  const recent = recollection?.of(users, outdateUser);
  if (recent === undefined) return read(users, id);
  return recent.recall(id) ?? recent.read(id, async (id) => freeze(await read(users, id)));
}

async function read(users: UserStore, id: string): Promise<User | undefined> {
  const user = await users.get(id);
  return user?.bannedAt === undefined ? user : undefined;
}

function freeze(user: User | undefined): User | undefined {
  Object.freeze(user?.roles);
  return Object.freeze(user);
}

function outdateUser(event: SessionEvent, reads: RecentReads<User>): void {
  if (event.type === "user-ended" || event.type === "user-changed") reads.forget(event.userId);
}
