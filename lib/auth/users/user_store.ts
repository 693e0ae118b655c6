import type { ControlLog } from "../../sessions/revocation/control_log.ts";
import type { ProviderProfile, User } from "./user.ts";

/**
 * Stores users.
 *
 * An acknowledged write is visible to every reader of the same database. A method rejects if the
 * database cannot be reached.
 */
export interface UserStore {
  /**
   * The control log that the store writes changes of users to, if any. Processes that follow this
   * log may cache reads for a moment.
   */
  readonly controlLog?: ControlLog | undefined;

  /**
   * Returns the user of a profile's provider and subject, with login, name and picture from the
   * profile: created at the first sign-in, updated at later ones. A profile without a displayable
   * login leaves all three unchanged. A banned user is not changed.
   *
   * Atomic: two concurrent first sign-ins create one user. Login, name and picture are cleaned and
   * cut; a picture that is not `https:` is dropped.
   *
   * @throws {RangeError} The provider or the subject is empty, too long (64 and 255 characters, an
   * issuer in front of the subject not counted), or not valid Unicode.
   */
  save(profile: ProviderProfile): Promise<User>;

  /** Returns a user. One read. */
  get(id: string): Promise<User | undefined>;

  /**
   * Changes a user and returns the result; undefined if there is no such user.
   *
   * Atomic: `change` sees the latest version, and may be called again after a conflict. It must
   * keep `id`, `provider` and `subject`.
   */
  update(id: string, change: (user: User) => User): Promise<User | undefined>;

  /**
   * Returns a page of users, for administration. Successive pages list every user who exists
   * throughout exactly once. Reads 2,000 users at most.
   */
  list(options?: {
    /** The `next` of the previous page. @default {the beginning} */
    readonly after?: string | undefined;
    /** Most users on a page. @default {50} */
    readonly limit?: number | undefined;
    /** Part of a login, in any case: selects users whose login contains it. @default {all users} */
    readonly login?: string | undefined;
  }): Promise<{
    /** Ordered by id; the order has no meaning. */
    readonly users: readonly User[];
    /** Where the next page begins; undefined on the last page. */
    readonly next: string | undefined;
  }>;

  /** Removes a user. Returns false for an unknown id. */
  remove(id: string): Promise<boolean>;
}
