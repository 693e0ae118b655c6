/**
 * Where a development identity provider keeps sign-ins while they last, ten minutes at most.
 *
 * A method rejects if the database cannot be reached.
 */
export interface DevStore {
  /** Returns a value. It may be there a little longer than it was to be. */
  get(key: string): Promise<unknown>;
  /** Stores a value for so long, in milliseconds. */
  set(key: string, value: unknown, options: { readonly expireInMs: number }): Promise<void>;
  delete(key: string): Promise<void>;
}
