import type { User } from "./user.ts";

/** What part of all people is wanted. */
export interface UserPageOptions {
  /** Where an earlier page says that the next one begins. @default {the beginning} */
  readonly after?: string | undefined;
  /** Most people of a page. @default {50} */
  readonly limit?: number | undefined;
  /** Part of a login, in any case: only people who have it. @default {everybody} */
  readonly login?: string | undefined;
}

/** Part of all people. */
export interface UserPage {
  /** In the order of their ids, which is none that means anything. */
  readonly users: readonly User[];
  /** Where the next page begins; nothing at the end. */
  readonly next: string | undefined;
}

/** Most people that are looked through for one page. */
export const MAX_LOOKED_THROUGH = 2_000;

/**
 * Returns a page of people that come in the order of their ids, beginning after the page before.
 *
 * Looks through 2,000 of them at most: a page may hold fewer than `limit`, even none, and still not be
 * the last one.
 */
export async function pageOfUsers(
  people: AsyncIterable<User> | Iterable<User>,
  { limit = 50, login = "" }: UserPageOptions,
): Promise<UserPage> {
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
