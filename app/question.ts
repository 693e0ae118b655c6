/**
 * A question to another process. It is sent once until it is answered, however often it is asked
 * meanwhile: so nothing piles up at a process that stands still.
 */
export class Question<T> {
  readonly #send: () => void;
  readonly #limitMs: number;
  #open: PromiseWithResolvers<T> | undefined;

  constructor(send: () => void, limitMs: number) {
    this.#send = send;
    this.#limitMs = limitMs;
  }

  /** Returns the answer; undefined if there is none within the limit. */
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
