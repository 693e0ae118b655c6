import type { Clock } from "../scope.ts";

/** How often peers that read slowly are looked at, in milliseconds: no socket reports that it has room. */
const INTERVAL_MS = 25;

/** Something that may go on. */
export interface Resumable {
  /** Goes on as far as it can. Returns whether it is through. */
  resume(): boolean;
}

/** The peers of a server that have something waiting: one timer for all, and none where there are none. */
export class StalledReaders {
  /** Messages that were dropped because a peer read too slowly. */
  dropped = 0;
  readonly #clock: Clock;
  readonly #stalled = new Set<Resumable>();
  #isWaiting = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many peers have something waiting. */
  get size(): number {
    return this.#stalled.size;
  }

  add(reader: Resumable): void {
    this.#stalled.add(reader);
    this.#wait();
  }

  delete(reader: Resumable): void {
    this.#stalled.delete(reader);
  }

  #wait(): void {
    if (this.#isWaiting || this.#stalled.size === 0) return;
    this.#isWaiting = true;
    this.#clock.after(INTERVAL_MS, () => {
      this.#isWaiting = false;
      for (const reader of this.#stalled) {
        if (reader.resume()) this.#stalled.delete(reader);
      }
      this.#wait();
    });
  }
}
