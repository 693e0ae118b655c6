import type { User } from "@sluice/sluice/auth";
import type { Session } from "@sluice/sluice/sessions";

/** A signed-in user and their session. */
export interface Identity {
  readonly user: User;
  readonly session: Session;
}
