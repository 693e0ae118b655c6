import type { Session } from "../../sessions/mod.ts";
import type { User } from "../users/user.ts";

/** The device authorization response (RFC 8628 §3.2). Times are in seconds. */
export interface DeviceAuthorization {
  /** *Security*: the device's secret. Send it to the device only. */
  readonly deviceCode: string;
  /** The code that the user types. */
  readonly userCode: string;
  /** How long both codes are valid. */
  readonly expiresIn: number;
  /** How long the device must wait between two polls. */
  readonly interval: number;
}

/** The response to a device that polls. */
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

/** A device, as shown to the user who approves it. */
export interface WaitingDevice {
  /** The code that the user typed. */
  readonly userCode: string;
  /** The device's `User-Agent`. */
  readonly userAgent: string;
  /** The device's address. */
  readonly address: string | undefined;
}

/** The user who types a user code. */
export interface DeviceApprover {
  /** The signed-in user. */
  readonly user: User;
  /** The session of the browser, proved by its cookie. */
  readonly session: Session;
  /** The address of the request, or its network. */
  readonly address?: string | undefined;
}
