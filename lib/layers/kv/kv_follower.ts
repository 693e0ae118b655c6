import type { Clock } from "../../core/clock.ts";
import type { LayerGap } from "../channel_layer.ts";
import type { KvLog } from "./kv_log.ts";

/** What a {@linkcode KvFollower} is given. */
export interface KvFollowerOptions {
  readonly log: KvLog;
  readonly clock: Clock;
  /** How often the log is polled while there is traffic, in milliseconds. */
  readonly pollMs: number;
  /** Whether this process has channels that need messages. */
  isWanted(): boolean;
  /** Takes an entry of the log. Rejects if the entry cannot be read now. */
  take(entry: unknown): void | Promise<void>;
  /** Called when entries were missed. */
  gap(gap: LayerGap): void;
}

const MAX_POLL_MS = 1_000;

/** How long after the last entry polling slows down, in milliseconds. */
const CALM_MS = 10_000;

/** Follows the log from its current end, and takes each new entry once, in order. */
export class KvFollower {
  readonly #options: KvFollowerOptions;
  /** The number of the last entry taken; `undefined` while it does not follow. */
  #cursor: number | undefined;
  #isClosed = false;
  /** The entries that this process wrote and has not taken yet. */
  readonly #own = new Map<number, unknown>();
  /** The last queued step: steps that move the cursor run one at a time. */
  #work: Promise<unknown> = Promise.resolve();
  /** A queued read that has not started, and will see all current entries. */
  #nextLook: Promise<void> | undefined;
  #cancelPoll: (() => void) | undefined;
  #pollMs: number;
  #lastEntryAt = 0;
  #lastLookAt = 0;

  constructor(options: KvFollowerOptions) {
    this.#options = options;
    this.#pollMs = options.pollMs;
  }

  /** Starts to follow. @throws {LayerError} `UNAVAILABLE`; polling continues. */
  async start(): Promise<void> {
    if (this.#cursor === undefined) await this.look();
  }

  /** Takes all current entries. @throws {LayerError} `UNAVAILABLE`. */
  look(): Promise<void> {
    return this.#nextLook ??= this.#inTurn(() => {
      this.#nextLook = undefined;
      return this.#look();
    });
  }

  /** Takes all entries up to `number`. This process wrote `entry`, so it is not read again. */
  advance(number: number, entry: unknown): Promise<void> {
    this.#own.set(number, entry);
    return this.#inTurn(async () => {
      this.#own.delete(number);
      if (this.#cursor !== undefined && this.#cursor >= number) return;
      if (this.#cursor !== undefined && this.#cursor < number - 1) await this.#readTo(number - 1);
      await this.#options.take(entry);
      if (this.#cursor !== undefined) this.#cursor = number;
      this.#noteEntry();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#work.then(step);
    this.#work = done.catch(() => {});
    return done;
  }

  async #look(): Promise<void> {
    try {
      const head = await this.#options.log.head();
      if (this.#cursor === undefined) this.#cursor = head;
      else if (head < this.#cursor) this.#begin(head);
      else if (head > this.#cursor) await this.#readTo(head);
      this.#lastLookAt = this.#options.clock.now();
    } finally {
      this.#pollLater();
    }
  }

  /** Takes entries up to `head`. The cursor stops before one that cannot be read now. */
  async #readTo(head: number): Promise<void> {
    const { log, take } = this.#options;
    let isComplete = true;
    try {
      const found = await log.read(this.#cursor!, head);
      for (const [number, entry] of this.#withOwn(found, head)) {
        if (number !== this.#cursor! + 1) isComplete = false;
        await take(entry);
        this.#cursor = number;
      }
      if (this.#cursor !== head) isComplete = false;
      this.#cursor = head;
    } finally {
      this.#noteEntry();
      if (!isComplete) this.#tellGap();
    }
  }

  /** Adds own entries that are not in the log any more, because others were appended faster. */
  #withOwn(found: readonly [number, unknown][], head: number): readonly [number, unknown][] {
    const cursor = this.#cursor!;
    const own = [...this.#own].filter(([number]) => number > cursor && number <= head);
    if (own.length === 0 || found.length === head - cursor) return found;
    return [...new Map([...own, ...found])].sort(([one], [other]) => one - other);
  }

  /** Starts over after the database was replaced by one with another log. */
  #begin(head: number): void {
    this.#cursor = head;
    this.#tellGap();
  }

  #tellGap(): void {
    this.#options.gap({ since: this.#lastLookAt, until: this.#options.clock.now() });
  }

  #noteEntry(): void {
    this.#lastEntryAt = this.#options.clock.elapsed();
    if (this.#pollMs === this.#options.pollMs) return;
    this.#pollMs = this.#options.pollMs;
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
    this.#pollLater();
  }

  #pollLater(): void {
    if (this.#isClosed || this.#cancelPoll !== undefined) return;
    const { clock, pollMs } = this.#options;
    const isCalm = clock.elapsed() - this.#lastEntryAt > CALM_MS;
    this.#pollMs = isCalm ? Math.min(Math.max(MAX_POLL_MS, pollMs), this.#pollMs * 2) : pollMs;
    // Jitter, so that processes do not poll at the same time.
    this.#cancelPoll = clock.after(this.#pollMs * (0.75 + Math.random() / 2), () => {
      this.#cancelPoll = undefined;
      if (this.#options.isWanted()) this.look().catch(() => {});
      else this.#cursor = undefined;
    });
  }
}
