import { performance } from "node:perf_hooks";
import { clearTimeout, setTimeout } from "node:timers";

/** A clock that is passed in, so that tests can control time. */
export interface Clock {
  /**
   * Milliseconds since the epoch, for stored or displayed times. It jumps when the system time is set:
   * measure durations with {@linkcode elapsed}.
   */
  now(): number;
  /** Milliseconds of a monotonic clock, for durations. */
  elapsed(): number;
  /** Calls back once after `ms` milliseconds, unless the returned function is called first. */
  after(ms: number, callback: () => void): () => void;
}

/** The system clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), MAX_TIMEOUT_MS)).unref();
    return () => clearTimeout(timer);
  },
};

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * A time on both clocks: a suspended machine stops one, and a correction of the time moves the
 * other.
 */
export interface Moment {
  readonly time: number;
  readonly elapsed: number;
}

/** Returns the present on both clocks. */
export function momentOf(clock: Clock): Moment {
  return { time: clock.now(), elapsed: clock.elapsed() };
}

/**
 * Returns the milliseconds since a moment, by the clock with the larger value: one may stop, one may
 * be set back.
 */
export function ageOf({ time, elapsed }: Moment, clock: Clock): number {
  return Math.max(clock.now() - time, clock.elapsed() - elapsed);
}
