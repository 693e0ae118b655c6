import type { Clock } from "../scope.ts";

const TICK_MS = 250;

/**
 * Notices that questions to a server, which it answers in their order, are not answered: one look at
 * the counts every quarter of a second, and no timer for each.
 */
export class StallWatch {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onStall: () => void;
  /** How many had been asked at past looks, the oldest first. */
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

  /** Notes a question. */
  asked(): void {
    this.#asked++;
  }

  /** Notes an answer. */
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
