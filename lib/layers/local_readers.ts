import type { WaitingMessage } from "./local_waiting.ts";

/** How a reader takes a message: for good, or until its lease is settled. */
export interface Reading<T> {
  readonly outcome: "delivered" | "queued";
  take(entry: WaitingMessage): T;
}

interface Reader extends Reading<void> {
  reject(error: unknown): void;
}

/** The readers of one channel of this process, in line. */
export class LocalReaders {
  #line: Reader[] = [];

  get count(): number {
    return this.#line.length;
  }

  /** Hands a message to the first reader, and returns what became of it; `undefined` without a reader. */
  hand(entry: WaitingMessage): "delivered" | "queued" | undefined {
    const reader = this.#line.shift();
    reader?.take(entry);
    return reader?.outcome;
  }

  /** Waits in line. Rejects when `signal` aborts, and is out of the line then. */
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

  /** Lets all of them go. */
  reject(error: Error): void {
    for (const reader of this.#line.splice(0)) reader.reject(error);
  }
}
