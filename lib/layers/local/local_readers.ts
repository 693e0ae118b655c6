import type { WaitingMessage } from "./local_waiting.ts";

/** How a reader takes a message: permanently, or until its lease is settled. */
export interface Reading<T> {
  readonly outcome: "delivered" | "queued";
  take(entry: WaitingMessage): T;
}

interface Reader extends Reading<void> {
  reject(error: unknown): void;
}

/** The queue of readers of one local channel. */
export class LocalReaders {
  #line: Reader[] = [];

  get count(): number {
    return this.#line.length;
  }

  /** Hands a message to the first reader and returns the outcome; `undefined` without a reader. */
  hand(entry: WaitingMessage): "delivered" | "queued" | undefined {
    const reader = this.#line.shift();
    reader?.take(entry);
    return reader?.outcome;
  }

  /** Queues a reader. Rejects and leaves the queue when `signal` aborts. */
  wait<T>({ outcome, take }: Reading<T>, signal: AbortSignal | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = () => signal?.removeEventListener("abort", abort);
      const reader: Reader = {
        outcome,
        take: (entry) => (leave(), resolve(take(entry))),
        reject: (error) => (leave(), reject(error)),
      };
      const abort = () => {
        this.#line = this.#line.filter((other) => other !== reader);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#line.push(reader);
    });
  }

  /** Rejects all waiting readers. */
  reject(error: Error): void {
    for (const reader of this.#line.splice(0)) reader.reject(error);
  }
}
