import type { Clock, Freshness, Log } from "../scope.ts";
import type { ControlLog, ControlPage } from "./control_log.ts";
import type { SessionEvent } from "./session.ts";

/** What a {@linkcode ControlFollower} tells. */
export interface ControlTarget {
  /** Takes note of what happened. */
  apply(event: SessionEvent): void;
  /** Looks at everything once: something may have been missed. */
  revalidate(): Promise<void>;
}

/** The time between two readings, in milliseconds. */
const POLL_MS = 200;

/** The shortest time between two readings because of hints, in milliseconds. */
const HINT_MS = 10;

/** The time between two attempts while the log cannot be read, in milliseconds. */
const RETRY_MS = 350;

/** What was known this long ago is too old to act on, in milliseconds. */
const STALE_MS = 1_000;

/** A moment by both clocks: a suspended machine stops the one, a correction of the time moves the other. */
interface Moment {
  readonly time: number;
  readonly elapsed: number;
}

/**
 * Follows a control log while it is wanted: one read each 200 ms where nothing happens, each 350 ms
 * while the log cannot be read, which with a reading's own limit of 600 ms stays within a second.
 *
 * It goes on where it was: after a pause of the process, an outage of the database, or a time in
 * which nobody wanted it. Where entries were forgotten meanwhile, or at the very beginning, the
 * target looks at everything once.
 *
 * It also says whether what is known is fresh. A process that was stopped and wakes up is stale until it
 * has applied everything that was written before; until then nothing is to be acted on. A log that
 * cannot be read makes nothing stale that was fresh: nobody could write to it either, as far as is known
 * here.
 */
export class ControlFollower implements Freshness {
  readonly #controlLog: ControlLog;
  readonly #target: ControlTarget;
  readonly #clock: Clock;
  readonly #log: Log;
  #position: number | undefined;
  #isWanted = false;
  #isReading = false;
  #isFailing = false;
  /** Whether more was written than has been applied, as far as is known. */
  #isBehind = false;
  #freshAt: Moment;
  /** Whether something was written that no reading has looked for. */
  #isHinted = false;
  /** When the last reading began. */
  #startedAt: Moment | undefined;
  /** When the last reading began, where it succeeded and there was no more to read. */
  #caughtUpAt: Moment | undefined;
  #cancel: (() => void) | undefined;
  #waiting: (() => void)[] = [];

  constructor(
    controlLog: ControlLog,
    target: ControlTarget,
    { clock, log }: { clock: Clock; log: Log },
  ) {
    this.#controlLog = controlLog;
    this.#target = target;
    this.#clock = clock;
    this.#log = log;
    this.#freshAt = this.#now();
  }

  /** Follows from now on. No effect where it does already. */
  start(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#freshAt = this.#now();
    this.#arm(0);
  }

  /** Follows no more, until the next start. */
  stop(): void {
    this.#isWanted = false;
    this.#caughtUpAt = undefined;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#wake();
  }

  /**
   * Reads at once, or right after a reading that is under way: something was written. Has no effect while
   * the log cannot be read.
   */
  look(): void {
    if (this.#isHinted || this.#isFailing) return;
    this.#isHinted = true;
    if (!this.#isReading) this.#arm(this.#hintedMs);
  }

  /** *Security*: hints come from other processes, however many: there is a shortest time between readings. */
  get #hintedMs(): number {
    return this.#startedAt === undefined ? 0 : Math.max(0, HINT_MS - this.#ageOf(this.#startedAt));
  }

  get isStale(): boolean {
    return this.#isWanted && this.#ageOf(this.#freshAt) > STALE_MS;
  }

  /**
   * Whether all that was written until a second ago has been applied. Other than {@linkcode isStale}
   * it promises: not before the first reading, and not while the log cannot be read.
   */
  get isCaughtUp(): boolean {
    return this.#caughtUpAt !== undefined && this.#ageOf(this.#caughtUpAt) <= STALE_MS;
  }

  #now(): Moment {
    return { time: this.#clock.now(), elapsed: this.#clock.elapsed() };
  }

  /** Milliseconds since a moment, by the clock that says more: one may stand still, one may be set back. */
  #ageOf({ time, elapsed }: Moment): number {
    return Math.max(this.#clock.now() - time, this.#clock.elapsed() - elapsed);
  }

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
    const startedAt = this.#startedAt = this.#now();
    const wasFresh = !this.isStale && !this.#isBehind;
    let nextMs: number;
    this.#isHinted = false;
    try {
      this.#isBehind = await this.#read();
      this.#caughtUpAt = this.#isBehind || !this.#isWanted ? undefined : startedAt;
      // As of the start: a reading that a pause interrupted tells of the time before it.
      if (!this.#isBehind) this.#freshAt = startedAt;
      nextMs = this.#isBehind || this.isStale ? 0 : POLL_MS;
      this.#failing(false);
    } catch (error) {
      this.#caughtUpAt = undefined;
      // A reading that took longer than it may was interrupted by a pause: that is no outage.
      const wasPaused = this.#ageOf(startedAt) >= STALE_MS;
      if (wasFresh && !wasPaused) this.#freshAt = this.#now();
      nextMs = wasPaused ? 0 : RETRY_MS;
      this.#failing(true, error);
    }
    this.#isReading = false;
    if (!this.isStale) this.#wake();
    this.#arm(this.#isHinted ? Math.min(nextMs, this.#hintedMs) : nextMs);
  }

  /** Reads on, and returns whether there is more. */
  async #read(): Promise<boolean> {
    const page = await this.#controlLog.read(this.#position);
    this.#apply(page);
    if (!page.isComplete) {
      if (this.#position !== undefined) this.#log.warn("entries of the control log were missed");
      await this.#target.revalidate();
    }
    this.#position = page.position;
    return page.hasMore;
  }

  #apply({ events }: ControlPage): void {
    for (const event of events) {
      try {
        this.#target.apply(event);
      } catch (error) {
        this.#log.error("an event could not be applied", { event: event.type, error });
      }
    }
  }

  #failing(isFailing: boolean, error?: unknown): void {
    if (isFailing === this.#isFailing) return;
    this.#isFailing = isFailing;
    if (isFailing) this.#log.warn("the control log cannot be read: trying on", { error });
    else this.#log.info("the control log can be read again");
  }

  #wake(): void {
    for (const callback of this.#waiting.splice(0)) {
      try {
        callback();
      } catch (error) {
        this.#log.error("a connection could not go on", { error });
      }
    }
  }
}
