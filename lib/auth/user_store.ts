import type { ControlLog } from "../sessions/mod.ts";
import type { Profile, User } from "./user.ts";
import type { UserPage, UserPageOptions } from "./user_page.ts";

/**
 * Where people are kept.
 *
 * What is acknowledged is there for every reader of the same database. A method rejects where the
 * database cannot be reached.
 */
export interface UserStore {
  /**
   * Where it writes which people changed, if anywhere. What was read may be relied on for a moment by
   * those who follow that log.
   */
  readonly controlLog?: ControlLog | undefined;

  /**
   * Returns the user of a profile's provider and subject, with login, name and picture as the
   * profile has them: created at the first sign-in, refreshed at every later one. A profile without
   * a login that can be shown leaves all three as they are. A banned user stays as they are.
   *
   * Atomic: two first sign-ins at once give one user. Login, name and picture are cleaned and cut;
   * a picture that is not `https:` is dropped.
   *
   * @throws {RangeError} The provider or the subject is empty, too long (64 and 255 characters, an
   * issuer in front of the subject not counted), or not valid Unicode.
   */
  save(profile: Profile): Promise<User>;

  /** Returns a user. One read. */
  get(id: string): Promise<User | undefined>;

  /**
   * Changes a user and returns them as they are then; undefined where there is none.
   *
   * Atomic: `change` sees the latest version, and may be called again where another change came
   * first. It must keep `id`, `provider` and `subject`.
   */
  update(id: string, change: (user: User) => User): Promise<User | undefined>;

  /**
   * Returns part of all people, for those who look after them: one page after the other has everybody
   * once who is there all the time. Reads as many as it looks through: 2,000 at most.
   */
  list(options?: UserPageOptions): Promise<UserPage>;

  /** Removes a user. Returns false where there is none. */
  remove(id: string): Promise<boolean>;
}
