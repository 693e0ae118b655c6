import type { User } from "./user.ts";
import type { UserStore } from "./user_store.ts";

/** Selects a page of users. */
type UserPageOptions = NonNullable<Parameters<UserStore["list"]>[0]>;

/** Most users read for one page. */
export const MAX_LOOKED_THROUGH = 2_000;

/**
 * Returns a page of users from an iteration in the order of their ids, which starts after the
 * previous page.
 *
 * Reads 2,000 users at most: a page may hold fewer than `limit`, even none, and not be the last
 * one.
 */
export async function pageOfUsers(
  people: AsyncIterable<User> | Iterable<User>,
  { limit = 50, login = "" }: UserPageOptions,
): ReturnType<UserStore["list"]> {
  const wanted = login.toLowerCase();
  const users: User[] = [];
  let lookedThrough = 0;
  let last: User | undefined;
  for await (const user of people) {
    if (lookedThrough === MAX_LOOKED_THROUGH) return { users, next: last?.id };
    const isWanted = user.login.toLowerCase().includes(wanted);
    if (isWanted && users.length === limit) return { users, next: last?.id };
    if (isWanted) users.push(user);
    lookedThrough++;
    last = user;
  }
  return { users, next: undefined };
}
