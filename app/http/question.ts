/**
 * A request to another process. Until it is answered, it is sent only once, no matter how often it
 * is asked, so that requests do not pile up at a process that hangs.
 */
export class Question<T> {
  readonly #send: () => void;
  readonly #limitMs: number;
  #open: PromiseWithResolvers<T> | undefined;

  constructor(send: () => void, limitMs: number) {
    this.#send = send;
    this.#limitMs = limitMs;
  }

  /** Returns the answer, or undefined after the time limit. */
  async ask(): Promise<T | undefined> {
    const isAsked = this.#open !== undefined;
    const { promise } = this.#open ??= Promise.withResolvers<T>();
    if (!isAsked) this.#send();
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(late.resolve, this.#limitMs);
    try {
      return await Promise.race([promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  answer(value: T): void {
    this.#open?.resolve(value);
    this.#open = undefined;
  }
}
