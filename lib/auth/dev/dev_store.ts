/**
 * Stores the pending sign-ins of a development identity provider, for ten minutes at most.
 *
 * A method rejects if the database cannot be reached.
 */
export interface DevStore {
  /** Returns a value. It may outlive its expiry a little. */
  get(key: string): Promise<unknown>;
  /** Stores a value for `expireInMs` milliseconds. */
  set(key: string, value: unknown, options: { readonly expireInMs: number }): Promise<void>;
  /** Deletes a value, if it is there. */
  delete(key: string): Promise<void>;
}
