import type { Clock } from "../scope.ts";
import type { ControlLog } from "./control_log.ts";
import type { Follower } from "./live_sessions.ts";
import { type Outdate, type ReadTrust, RecentReads } from "./recent_reads.ts";
import type { SessionEvent } from "./session.ts";

/** Unused for this long it forgets everything, and follows no more, in milliseconds. */
const IDLE_MS = 5_000;

/** What a {@linkcode Recollection} works with. */
export interface RecollectionOptions {
  /** Where it is written what happens. */
  readonly controlLog: ControlLog;
  /** What applies it here while it runs: to {@linkcode LiveSessions}, which passes it on. */
  readonly follower: Follower;
  /** Whether all that was written until a second ago has been applied. */
  readonly isCaughtUp: () => boolean;
  readonly clock: Clock;
}

/** A store that may write what happens to a control log. */
export interface LoggedStore {
  readonly controlLog?: ControlLog | undefined;
}

/**
 * What this process has just read of sessions and people. It may be used at the gate in place of
 * another reading, as long as the control log is followed and says nothing else: so that it is never
 * more than a second behind what other processes have written, and not at all behind what this one has.
 *
 * The log is followed from the first use until five seconds after the last; then everything is
 * forgotten, so that an idle process costs nothing.
 *
 * *Security*: nothing is relied on before the log was read, where it was last read more than a second
 * ago (a pause of the process), while it cannot be read, and where the clock was set back. When it is
 * read again, all that happened meanwhile takes out what it speaks of; where entries may have been
 * missed, everything is forgotten. Only what is of a store that writes to that same log is kept.
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
   * Returns what is kept of a store's values by id, always the same for the same store; undefined where
   * the store does not write its changes to the log that is followed. `outdate` takes out what an event
   * makes out of date.
   */
  of<T>(store: LoggedStore, outdate: Outdate<T>): RecentReads<T> | undefined {
    const known = this.#kept.get(store);
    if (known !== undefined) return known as unknown as RecentReads<T>; // A store has values of one type.
    if (store.controlLog !== this.#controlLog) return undefined;
    const reads = new RecentReads<T>({ trust: this, outdate });
    this.#kept.set(store, reads as unknown as RecentReads<unknown>);
    return reads;
  }

  /** Notes that it is in use, and returns whether it may be. */
  rely(): boolean {
    if (this.#isClosed) return false;
    this.#usedAt = this.#clock.elapsed();
    if (this.#cancel === undefined) {
      this.#follower.start();
      this.#arm(IDLE_MS);
    }
    return this.#isCaughtUp();
  }

  /** Takes note of what happened. */
  apply(event: SessionEvent): void {
    for (const reads of this.#kept.values()) reads.apply(event);
  }

  /** Forgets everything, what is being read included. */
  clear(): void {
    for (const reads of this.#kept.values()) reads.clear();
  }

  /** Is of no use any more. */
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
