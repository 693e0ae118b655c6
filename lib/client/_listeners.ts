/** Listeners of one event. If one throws, the error is reported and the others are still called. */
export class Listeners<Args extends unknown[]> {
  readonly #report: (error: unknown) => void;
  readonly #callbacks = new Set<{ call: (...args: Args) => void }>();

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Adds a listener; a function added twice is called twice. Returns a function that removes it. */
  add(call: (...args: Args) => void): () => void {
    const entry = { call };
    this.#callbacks.add(entry);
    return () => {
      this.#callbacks.delete(entry);
    };
  }

  /** Calls the current listeners while `counts()` holds. Returns whether there were any. */
  emit(counts: () => boolean, ...args: Args): boolean {
    const callbacks = [...this.#callbacks];
    for (const { call } of callbacks) {
      if (!counts()) break;
      try {
        // A listener may be async although its type says `void`.
        const result: unknown = call(...args);
        if (result instanceof Promise) result.catch(this.#report);
      } catch (error) {
        this.#report(error);
      }
    }
    return callbacks.length > 0;
  }
}
