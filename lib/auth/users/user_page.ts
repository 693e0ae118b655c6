import type { User } from "./user.ts";

/** Selects a page of users. */
export interface UserPageOptions {
  /** The `next` of the previous page. @default {the beginning} */
  readonly after?: string | undefined;
  /** Most users on a page. @default {50} */
  readonly limit?: number | undefined;
  /** Part of a login, in any case: selects users whose login contains it. @default {all users} */
  readonly login?: string | undefined;
}

/** A page of users. */
export interface UserPage {
  /** Ordered by id; the order has no meaning. */
  readonly users: readonly User[];
  /** Where the next page begins; undefined on the last page. */
  readonly next: string | undefined;
}

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
