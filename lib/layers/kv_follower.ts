import type { Clock } from "../scope.ts";
import type { LayerGap } from "./channel_layer.ts";
import type { KvLog } from "./kv_log.ts";

/** What a {@linkcode KvFollower} works with. */
export interface KvFollowerOptions {
  readonly log: KvLog;
  readonly clock: Clock;
  /** How often it looks while there is traffic, in milliseconds. */
  readonly pollMs: number;
  /** Whether anybody here wants messages. */
  isWanted(): boolean;
  /** Takes an entry of the log. Rejects if it cannot be read now. */
  take(entry: unknown): void | Promise<void>;
  /** Entries were missed. */
  gap(gap: LayerGap): void;
}

const MAX_POLL_MS = 1_000;

/** How long after the last entry it looks less often, in milliseconds. */
const CALM_MS = 10_000;

/** Reads the log as it grows, from where it began to follow; each entry once, in order. */
export class KvFollower {
  readonly #options: KvFollowerOptions;
  /** The number of the last entry that was taken; nothing while it does not follow. */
  #cursor: number | undefined;
  #isClosed = false;
  /** What is being done with the cursor, one after the other. */
  #work: Promise<unknown> = Promise.resolve();
  /** A look that has not begun, and will see what is there now. */
  #nextLook: Promise<void> | undefined;
  #cancelPoll: (() => void) | undefined;
  #pollMs: number;
  #lastEntryAt = 0;
  #lastLookAt = 0;

  constructor(options: KvFollowerOptions) {
    this.#options = options;
    this.#pollMs = options.pollMs;
  }

  /** Follows from now on. @throws {LayerError} `UNAVAILABLE`; it goes on trying. */
  async start(): Promise<void> {
    if (this.#cursor === undefined) await this.look();
  }

  /** Takes every entry that is there now. @throws {LayerError} `UNAVAILABLE`. */
  look(): Promise<void> {
    return this.#nextLook ??= this.#inTurn(() => {
      this.#nextLook = undefined;
      return this.#look();
    });
  }

  /** Takes all entries up to the one with `number`, which was written here: it need not be read. */
  advance(number: number, entry: unknown): Promise<void> {
    return this.#inTurn(async () => {
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
      for (const [number, entry] of await log.read(this.#cursor!, head)) {
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

  /** The log is another one: the database was replaced. */
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
    // Not quite regular, so that processes do not all come at once.
    this.#cancelPoll = clock.after(this.#pollMs * (0.75 + Math.random() / 2), () => {
      this.#cancelPoll = undefined;
      if (this.#options.isWanted()) this.look().catch(() => {});
      else this.#cursor = undefined;
    });
  }
}
