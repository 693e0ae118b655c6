/** A device sign-in that waits for a user to approve it elsewhere (RFC 8628). */
export interface DeviceGrant {
  /** SHA-256 of the device's secret, in base64url. */
  readonly key: string;
  /** The short code that the user types; it has no other use. */
  readonly userCode: string;
  /** Whether the user has decided. */
  readonly state: "waiting" | "approved" | "denied";
  /** The approval, once given. */
  readonly approval?: DeviceApproval | undefined;
  /** The session that the latest attempt to redeem the grant creates. */
  readonly sessionId?: string | undefined;
  /** The device's `User-Agent`. */
  readonly userAgent: string;
  /** The device's address. */
  readonly address: string | undefined;
  /** When the grant expires, in milliseconds since the epoch. */
  readonly expiresAt: number;
  /** When the device last got `authorization_pending`, in milliseconds since the epoch. */
  readonly polledAt: number;
}

/** The session that approved a device, as it was at that time. */
export interface DeviceApproval {
  /** The session that approved. */
  readonly sessionId: string;
  /** The user who approved. */
  readonly userId: string;
  /** The session's revocation count. The approval is void once the count has grown. */
  readonly revocations: number;
}
