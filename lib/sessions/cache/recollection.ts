import type { Clock } from "../../core/clock.ts";
import type { ControlLog } from "../revocation/control_log.ts";
import type { Follower } from "../live/connection_registry.ts";
import { type Outdate, type ReadTrust, RecentReads } from "./recent_reads.ts";
import type { SessionEvent } from "../session.ts";

/** Idle time after which the cache is cleared and polling stops, in milliseconds. */
const IDLE_MS = 5_000;

/** Options of {@linkcode Recollection}. */
export interface RecollectionOptions {
  /** The control log that is followed. */
  readonly controlLog: ControlLog;
  /** Applies the log's events while it runs: to {@linkcode ConnectionRegistry}, which passes them on. */
  readonly follower: Follower;
  /** Returns whether every entry written until a second ago has been applied. */
  readonly isCaughtUp: () => boolean;
  readonly clock: Clock;
}

/** A store that may write its changes to a control log. */
export interface LoggedStore {
  readonly controlLog?: ControlLog | undefined;
}

/**
 * The read cache of sessions and users. At a handshake, it replaces a read of the store while the
 * control log is followed: it is at most a second behind the writes of other processes, and never
 * behind those of this one.
 *
 * The log is followed from the first use until five seconds after the last; then the cache is
 * cleared, so that an idle process costs nothing.
 *
 * *Security*: the cache is not used before the log has been read, if the last read was more than a
 * second ago (a pause of the process), while the log cannot be read, or after the clock was set
 * back. When the log is read again, its events invalidate the values that they concern; if entries
 * may have been missed, the cache is cleared. Only values of stores that write to the same log are
 * cached.
 */
export class Recollection implements ReadTrust {
  readonly #controlLog: ControlLog;
  readonly #follower: Follower;
  readonly #isCaughtUp: () => boolean;
  readonly #clock: Clock;
  readonly #kept = new Map<LoggedStore, RecentReads<unknown>>();
  readonly #unsubscribe: (() => void) | undefined;
  #usedAt = 0;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(options: RecollectionOptions) {
    this.#controlLog = options.controlLog;
    this.#follower = options.follower;
    this.#isCaughtUp = options.isCaughtUp;
    this.#clock = options.clock;
    this.#unsubscribe = options.controlLog.subscribe?.((event) => this.apply(event));
  }

  /**
   * Returns the cache of a store's values by id, always the same one for a store; undefined if the
   * store does not write its changes to the followed log. `outdate` invalidates the values that an
   * event concerns.
   */
  of<T>(store: LoggedStore, outdate: Outdate<T>): RecentReads<T> | undefined {
    const known = this.#kept.get(store);
    if (known !== undefined) return known as unknown as RecentReads<T>; // A store has values of one type.
    if (store.controlLog !== this.#controlLog) return undefined;
    const reads = new RecentReads<T>({ trust: this, outdate });
    this.#kept.set(store, reads as unknown as RecentReads<unknown>);
    return reads;
  }

  /** Marks the cache as in use, and returns whether it may be used. */
  rely(): boolean {
    if (this.#isClosed) return false;
    this.#usedAt = this.#clock.elapsed();
    if (this.#cancel === undefined) {
      this.#follower.start();
      this.#arm(IDLE_MS);
    }
    return this.#isCaughtUp();
  }

  /** Applies an event. */
  apply(event: SessionEvent): void {
    for (const reads of this.#kept.values()) reads.apply(event);
  }

  /** Clears the cache and discards reads in progress. */
  clear(): void {
    for (const reads of this.#kept.values()) reads.clear();
  }

  /** Clears the cache and stops following for good. */
  close(): void {
    this.#isClosed = true;
    this.#unsubscribe?.();
    this.#rest();
  }

  #arm(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      const idleMs = this.#clock.elapsed() - this.#usedAt;
      if (idleMs >= IDLE_MS || idleMs < 0) this.#rest();
      else this.#arm(IDLE_MS - idleMs);
    });
  }

  #rest(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#follower.stop();
    this.clear();
  }
}
