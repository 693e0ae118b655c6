/** A sign-in of a device that waits for a user to approve it elsewhere (RFC 8628). */
export interface DeviceGrant {
  /** SHA-256 of the secret that the device has, in base64url. */
  readonly key: string;
  /** What the user types in; short, and good for nothing else. */
  readonly userCode: string;
  readonly state: "waiting" | "approved" | "denied";
  /** Who approved it. */
  readonly approval?: DeviceApproval | undefined;
  /** The session that the latest attempt to redeem it begins. */
  readonly sessionId?: string | undefined;
  /** What the device calls itself. */
  readonly userAgent: string;
  readonly address: string | undefined;
  /** From when on it counts no more, in milliseconds since the epoch. */
  readonly expiresAt: number;
  /** When the device was last told to wait, in milliseconds since the epoch. */
  readonly polledAt: number;
}

/** The session that approved a device, as it was then. */
export interface DeviceApproval {
  readonly sessionId: string;
  readonly userId: string;
  /** The session's count of revocations: the approval is void once that has grown. */
  readonly revocations: number;
}

/**
 * Where the sign-ins of devices are kept. It decides nothing.
 *
 * A method rejects if the database cannot be reached.
 */
export interface DeviceGrantStore {
  /** Stores a grant. False if its user code is taken. */
  create(grant: DeviceGrant): Promise<boolean>;
  /** Returns a grant by its key, also one that has expired. One read. */
  get(key: string): Promise<DeviceGrant | undefined>;
  /** Returns a grant by what the user types in, also one that has expired. */
  findByUserCode(userCode: string): Promise<DeviceGrant | undefined>;
  /**
   * Changes a grant, or takes it out if `change` returns `"remove"`; returns what it was before. If
   * `change` returns what it was given, nothing is written.
   *
   * Atomic: `change` sees the latest version, and may be called again if another change came first.
   */
  update(
    key: string,
    change: (grant: DeviceGrant) => DeviceGrant | "remove",
  ): Promise<DeviceGrant | undefined>;
}
