import type { Sessions } from "../sessions/mod.ts";
import type { UserStore } from "./users/user_store.ts";

/**
 * The sessions and the users that belong together.
 *
 * @internal
 */
export interface AuthParts {
  /** Creates, finds and ends the sessions. */
  readonly sessions: Sessions;
  /** Keeps the users. */
  readonly users: UserStore;
}
