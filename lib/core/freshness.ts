/**
 * Tells whether the permissions known to a process are current enough to act on.
 *
 * @internal
 */
export interface Freshness {
  /** True after a pause of the process, until it has caught up on missed changes. */
  readonly isStale: boolean;
  /** Calls back once when permissions are current again. */
  whenFresh(callback: () => void): void;
}
