import type { Session } from "../../sessions/mod.ts";
import type { User } from "../users/user.ts";

/**
 * The response to a device that polls.
 *
 * @internal
 */
export type DevicePoll =
  | {
    /** Why the device gets no token (RFC 8628 §3.5). */
    readonly error:
      | "authorization_pending"
      | "slow_down"
      | "access_denied"
      | "expired_token";
  }
  | {
    readonly error?: undefined;
    /** *Security*: the session's token. */
    readonly token: string;
    readonly expiresIn: number;
  };

/**
 * The user who types a user code.
 *
 * @internal
 */
export interface DeviceApprover {
  /** The signed-in user. */
  readonly user: User;
  /** The session of the browser, proved by its cookie. */
  readonly session: Session;
  /** The address of the request. Wrong codes count by its network. */
  readonly address?: string | undefined;
}
