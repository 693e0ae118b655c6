/** Callbacks for one kind of event. If one throws, it is reported and the others are called. */
export class Listeners<Args extends unknown[]> {
  readonly #report: (error: unknown) => void;
  readonly #callbacks = new Set<{ call: (...args: Args) => void }>();

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Adds one; the same function twice is called twice. Returns how to take it back. */
  add(call: (...args: Args) => void): () => void {
    const entry = { call };
    this.#callbacks.add(entry);
    return () => {
      this.#callbacks.delete(entry);
    };
  }

  /** Calls those that are there now, while the event counts. Returns whether there was one. */
  emit(counts: () => boolean, ...args: Args): boolean {
    const callbacks = [...this.#callbacks];
    for (const { call } of callbacks) {
      if (!counts()) break;
      try {
        call(...args);
      } catch (error) {
        this.#report(error);
      }
    }
    return callbacks.length > 0;
  }
}
