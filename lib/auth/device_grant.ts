/** A sign-in of a device that waits for a person to approve it elsewhere (RFC 8628). */
export interface DeviceGrant {
  /** SHA-256 of the secret that the device has, in base64url. */
  readonly key: string;
  /** What the person types in; short, and good for nothing else. */
  readonly userCode: string;
  readonly state: "waiting" | "approved" | "denied";
  /** Who approved it. */
  readonly userId?: string;
  readonly provider?: string;
  /** What the device calls itself. */
  readonly userAgent: string;
  readonly address: string | undefined;
  /** From when on it counts no more, in milliseconds since the epoch. */
  readonly expiresAt: number;
  /** When the device asked last, in milliseconds since the epoch. */
  readonly polledAt: number;
}

/**
 * Where the sign-ins of devices are kept. It decides nothing.
 *
 * A method rejects where the database cannot be reached.
 */
export interface DeviceGrantStore {
  /** Stores a grant. False where its user code is taken. */
  create(grant: DeviceGrant): Promise<boolean>;
  /** Returns a grant by what the person types in, also one that has expired. */
  findByUserCode(userCode: string): Promise<DeviceGrant | undefined>;
  /**
   * Changes a grant, or takes it out where `change` returns `"remove"`; returns what it was before.
   *
   * Atomic: `change` sees the latest version, and may be called again where another change came first.
   */
  update(
    key: string,
    change: (grant: DeviceGrant) => DeviceGrant | "remove",
  ): Promise<DeviceGrant | undefined>;
}
