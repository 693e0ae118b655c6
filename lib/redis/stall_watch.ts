import type { Clock } from "../core/clock.ts";

const TICK_MS = 250;

/**
 * Detects that a server has stopped replying to requests, which it answers in order. Checks counters
 * four times a second, without a timer per request.
 */
export class StallWatch {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onStall: () => void;
  /** The number of requests at past checks, oldest first. */
  readonly #looks: { readonly at: number; readonly asked: number }[] = [];
  #asked = 0;
  #answered = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, timeoutMs: number, onStall: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onStall = onStall;
    this.#lookLater();
  }

  /** Counts a request. */
  asked(): void {
    this.#asked++;
  }

  /** Counts a reply. */
  answered(): void {
    this.#answered++;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #lookLater(): void {
    this.#cancel = this.#clock.after(TICK_MS, () => {
      this.#lookLater();
      this.#look();
    });
  }

  #look(): void {
    const now = this.#clock.elapsed();
    while (this.#looks[0] !== undefined && this.#looks[0].asked <= this.#answered) {
      this.#looks.shift();
    }
    const oldest = this.#looks[0];
    if (oldest !== undefined && now - oldest.at >= this.#timeoutMs - TICK_MS) {
      this.stop();
      this.#onStall();
      return;
    }
    if (this.#asked > this.#answered) this.#looks.push({ at: now, asked: this.#asked });
  }
}
