import type { Clock } from "../../core/clock.ts";

/** How often slow readers are checked, in milliseconds: sockets do not report free buffer space. */
const INTERVAL_MS = 25;

/** A queue that can continue. */
export interface Resumable {
  /** Continues as far as possible. Returns whether the queue is empty. */
  resume(): boolean;
}

/** The peers of a server with queued messages. One timer serves all; it stops when none are left. */
export class StalledReaders {
  /** Messages dropped because a peer read too slowly. */
  dropped = 0;
  readonly #clock: Clock;
  readonly #stalled = new Set<Resumable>();
  #isWaiting = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Number of peers with queued messages. */
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
