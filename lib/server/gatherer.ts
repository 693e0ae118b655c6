import { Batch } from "./batch.ts";

/** Something that writes what has gathered. */
export interface Flushable {
  flush(): void;
}

/** How many times in a row nothing new has to have come before what has gathered is written. */
const QUIET_HOPS = 2;

/** How many times it is looked in all: a peer that never stops does not keep the others waiting. */
const MAX_HOPS = 256;

/**
 * Lets outboxes write once a turn what is due for them.
 *
 * The turn is that of the microtask queue: what the sockets brought in one go of the event loop is
 * handled first, and then written. Messages that a peer sent in one packet come out of the runtime
 * one microtask after another, so the turn is over when none came for two of them: nothing waits for
 * the network or a timer, and a lone frame only for the end of the function that sent it.
 */
export class Gatherer {
  readonly #first = new Batch();
  #waiting: Flushable[] = [];
  #hasNews = false;
  #quiet = 0;
  #hops = 0;

  /** Adds an outbox that has something to write. */
  add(outbox: Flushable): void {
    if (this.#waiting.push(outbox) > 1) return;
    this.#quiet = this.#hops = 0;
    queueMicrotask(this.#look);
  }

  /** Adds a frame to what gathers for one peer. Peers that get the same frames share the batch. */
  join(batch: Batch | undefined, frame: string): Batch {
    this.#hasNews = true;
    return (batch ?? this.#first).with(frame);
  }

  readonly #look = (): void => {
    this.#quiet = this.#hasNews ? 0 : this.#quiet + 1;
    this.#hasNews = false;
    if (this.#quiet < QUIET_HOPS && ++this.#hops < MAX_HOPS) return queueMicrotask(this.#look);
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#first.forget();
    for (const outbox of waiting) outbox.flush();
  };
}
