/** Something that writes what has gathered. */
export interface Flushable {
  flush(): void;
}

/**
 * Lets outboxes write once a turn what is due for them.
 *
 * The turn is that of the microtask queue: what several sockets brought in one go of the event loop is
 * handled first, and then written. A lone frame waits for nothing but the end of the function that
 * sent it.
 */
export class Gatherer {
  #waiting: Flushable[] = [];

  add(outbox: Flushable): void {
    if (this.#waiting.push(outbox) === 1) queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const outbox of waiting) outbox.flush();
  };
}
