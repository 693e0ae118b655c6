import { ageOf, type Clock, type Moment, momentOf } from "../../core/clock.ts";
import type { Freshness } from "../../core/freshness.ts";
import type { Log } from "../../core/log.ts";
import type { ControlLog, ControlPage } from "./control_log.ts";
import type { SessionEvent } from "../session.ts";

/** The receiver of a {@linkcode LogPoller}'s events. */
export interface LogPollerTarget {
  /** Applies an event; its position is unknown if entries before it are missing. */
  apply(event: SessionEvent, position: number | undefined): void;
  /** Checks all sessions once, because events may have been missed. */
  revalidate(): Promise<void>;
}

/** The interval between two reads, in milliseconds. */
const POLL_MS = 200;

/** The shortest interval between two reads that hints trigger, in milliseconds. */
const HINT_MS = 10;

/** The interval between two attempts while the log cannot be read, in milliseconds. */
const RETRY_MS = 350;

/** Age at which the applied state is stale, in milliseconds. */
const STALE_MS = 1_000;

/**
 * Polls a control log while started: one read every 200 ms when idle, every 350 ms while the log
 * cannot be read. With the 600 ms limit of a read, that stays within a second.
 *
 * If the log notices new entries of other processes, they are read within milliseconds.
 *
 * It resumes at its last position after a pause of the process, an outage of the database, or a
 * stop. If entries have expired meanwhile, and at the first start, the target checks everything
 * once.
 *
 * It also reports whether the applied state is fresh. A process that was suspended is stale after
 * it resumes until it has applied every earlier entry; do not act on stale state. An unreadable log
 * does not make fresh state stale: as far as this process can tell, no other process can write to
 * it either.
 */
export class LogPoller implements Freshness {
  /** The log that is polled. */
  readonly controlLog: ControlLog;
  readonly #target: LogPollerTarget;
  readonly #clock: Clock;
  readonly #log: Log;
  #position: number | undefined;
  /** What needs the log to be polled. */
  readonly #users = new Set<object>();
  #isReading = false;
  #isFailing = false;
  /** Whether entries are known that have not been applied yet. */
  #isBehind = false;
  #freshAt: Moment;
  /** Whether a hint arrived that no read has followed. */
  #isHinted = false;
  /** When the last read began. */
  #startedAt: Moment | undefined;
  /** When the last read began that succeeded and reached the end of the log. */
  #caughtUpAt: Moment | undefined;
  #cancel: (() => void) | undefined;
  #unsubscribe: (() => void) | undefined;
  #waiting: (() => void)[] = [];
  #asking: ((isRead: boolean) => void)[] = [];

  /** Polls nothing before it is started. */
  constructor(
    controlLog: ControlLog,
    target: LogPollerTarget,
    { clock, log }: { clock: Clock; log: Log },
  ) {
    this.controlLog = controlLog;
    this.#target = target;
    this.#clock = clock;
    this.#log = log;
    this.#freshAt = momentOf(this.#clock);
  }

  /** Starts polling for a user. No effect if already started for it. */
  start(user: object = this): void {
    const wasWanted = this.#isWanted;
    this.#users.add(user);
    if (wasWanted) return;
    this.#freshAt = momentOf(this.#clock);
    this.#unsubscribe = this.controlLog.onAppend?.(() => this.look());
    this.#arm(0);
  }

  /** Stops polling when the last user has stopped it, until the next start. */
  stop(user: object = this): void {
    if (!this.#users.delete(user) || this.#isWanted) return;
    this.#caughtUpAt = undefined;
    this.#unsubscribe?.();
    this.#cancel?.();
    this.#unsubscribe = this.#cancel = undefined;
    this.#wake();
    this.#answer(this.#asking.splice(0), false);
  }

  /**
   * Reads now, or right after the current read, because an entry was written. No effect while the
   * log cannot be read.
   */
  look(): void {
    if (this.#isHinted || this.#isFailing) return;
    this.#isHinted = true;
    if (!this.#isReading) this.#arm(this.#hintedMs);
  }

  /**
   * Reads soon, and calls back once: with true when every entry written before this call was applied,
   * with false if the log cannot be read.
   */
  whenRead(callback: (isRead: boolean) => void): void {
    if (this.#isFailing || !this.#isWanted) return this.#answer([callback], false);
    this.#asking.push(callback);
    this.look();
  }

  get #isWanted(): boolean {
    return this.#users.size > 0;
  }

  /** *Security*: other processes may send any number of hints, so reads have a shortest interval. */
  get #hintedMs(): number {
    return this.#startedAt === undefined ? 0 : Math.max(0, HINT_MS - this.#ageOf(this.#startedAt));
  }

  /** True after a pause of the process, until it has caught up on missed entries. */
  get isStale(): boolean {
    return this.#isWanted && this.#ageOf(this.#freshAt) > STALE_MS;
  }

  /**
   * Whether every entry written until a second ago has been applied. Unlike {@linkcode isStale},
   * this is a guarantee: it is false before the first read and while the log cannot be read.
   */
  get isCaughtUp(): boolean {
    return this.#caughtUpAt !== undefined && this.#ageOf(this.#caughtUpAt) <= STALE_MS;
  }

  #ageOf(moment: Moment): number {
    return ageOf(moment, this.#clock);
  }

  /** Calls back once when the applied state is fresh. */
  whenFresh(callback: () => void): void {
    this.#waiting.push(callback);
    if (!this.#isReading) this.#arm(0);
  }

  #arm(ms: number): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#isWanted) this.#cancel = this.#clock.after(ms, () => void this.#follow());
    else this.#wake();
  }

  /** Never rejects. */
  async #follow(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    const startedAt = this.#startedAt = momentOf(this.#clock);
    const wasFresh = !this.isStale && !this.#isBehind;
    let nextMs: number;
    this.#isHinted = false;
    const asking = this.#asking.splice(0);
    try {
      this.#isBehind = await this.#read();
      this.#caughtUpAt = this.#isBehind || !this.#isWanted ? undefined : startedAt;
      // Fresh as of the start: a read interrupted by a pause reflects the time before the pause.
      if (!this.#isBehind) this.#freshAt = startedAt;
      nextMs = this.#isBehind || this.isStale ? 0 : POLL_MS;
      this.#failing(false);
      if (this.#isBehind) this.#asking.unshift(...asking);
      else this.#answer(asking, true);
    } catch (error) {
      this.#caughtUpAt = undefined;
      // A read that exceeded its limit was interrupted by a pause, which is not an outage.
      const wasPaused = this.#ageOf(startedAt) >= STALE_MS;
      if (wasFresh && !wasPaused) this.#freshAt = momentOf(this.#clock);
      nextMs = wasPaused ? 0 : RETRY_MS;
      this.#failing(true, error);
      this.#answer([...asking, ...this.#asking.splice(0)], false);
    }
    this.#isReading = false;
    if (!this.isStale) this.#wake();
    this.#arm(this.#isHinted ? Math.min(nextMs, this.#hintedMs) : nextMs);
  }

  /** Reads the next page, and returns whether there is more. */
  async #read(): Promise<boolean> {
    const page = await this.controlLog.read(this.#position);
    this.#apply(page);
    if (!page.isComplete) {
      if (this.#position !== undefined) this.#log.warn("entries of the control log were missed");
      await this.#target.revalidate();
    }
    this.#position = page.position;
    return page.hasMore;
  }

  #apply({ events, position, isComplete }: ControlPage): void {
    events.forEach((event, index) => {
      const at = isComplete ? position - events.length + 1 + index : undefined;
      try {
        this.#target.apply(event, at);
      } catch (error) {
        this.#log.error("an event could not be applied", { event: event.type, error });
      }
    });
  }

  #failing(isFailing: boolean, error?: unknown): void {
    if (isFailing === this.#isFailing) return;
    this.#isFailing = isFailing;
    if (isFailing) this.#log.warn("the control log cannot be read, retrying", { error });
    else this.#log.info("the control log can be read again");
  }

  #wake(): void {
    this.#callEach(this.#waiting.splice(0), "a connection could not go on");
  }

  #answer(callbacks: readonly ((isRead: boolean) => void)[], isRead: boolean): void {
    const bound = callbacks.map((callback) => () => callback(isRead));
    this.#callEach(bound, "an event could not be applied");
  }

  #callEach(callbacks: readonly (() => void)[], problem: string): void {
    for (const callback of callbacks) {
      try {
        callback();
      } catch (error) {
        this.#log.error(problem, { error });
      }
    }
  }
}
