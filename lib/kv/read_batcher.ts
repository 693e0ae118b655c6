import type { KvKey, KvResult } from "./key_value.ts";

/** Reads the keys of a batch, after `sent` has resolved: the batch may grow until then. */
type ReadBatch = (keys: readonly KvKey[], sent: Promise<void>) => Promise<KvResult[]>;

interface Batch {
  readonly keys: KvKey[];
  readonly results: Promise<KvResult[]>;
  readonly send: () => void;
}

/**
 * Lets concurrent reads of single keys share a request.
 *
 * A batch collects the keys requested in one turn, or while another batch is being read. It is sent
 * after that one has returned, or as soon as it is full. No read waits for a timer. If a batch fails, all
 * its reads reject with its error. A read never joins a batch that was already sent, so it sees every
 * write acknowledged before.
 */
export class ReadBatcher {
  readonly #read: ReadBatch;
  readonly #size: number;
  readonly #endOfTurn: (callback: () => void) => unknown;
  #filling: Batch | undefined;
  #reading = 0;

  /**
   * @param size Most keys in one batch.
   * @param endOfTurn Calls back when a batch may be sent: at the end of the microtasks, or with
   * `setImmediate` after all pending events. The latter makes larger batches under load, which pays if
   * a request costs more than its keys.
   */
  constructor(
    read: ReadBatch,
    size: number,
    endOfTurn: (callback: () => void) => unknown = queueMicrotask,
  ) {
    this.#read = read;
    this.#size = size;
    this.#endOfTurn = endOfTurn;
  }

  /** Reads one key. */
  async get(key: KvKey): Promise<KvResult> {
    const batch = this.#filling ??= this.#begin();
    const index = batch.keys.push(key) - 1;
    if (batch.keys.length === this.#size) this.#send(batch);
    return (await batch.results)[index]!;
  }

  #begin(): Batch {
    const sent = Promise.withResolvers<void>();
    const keys: KvKey[] = [];
    const results = this.#read(keys, sent.promise);
    const batch: Batch = { keys, results, send: sent.resolve };
    // The batch may time out before it is sent; no read may join it then.
    results.catch(() => this.#close(batch));
    if (this.#reading === 0) this.#endOfTurn(() => this.#send(batch));
    return batch;
  }

  #send(batch: Batch): void {
    if (!this.#close(batch)) return;
    this.#reading++;
    batch.send();
    const done = () => {
      this.#reading--;
      const next = this.#filling;
      if (next !== undefined) this.#endOfTurn(() => this.#send(next));
    };
    batch.results.then(done, done);
  }

  /** Closes a batch to further reads. Returns false if it was already closed. */
  #close(batch: Batch): boolean {
    if (this.#filling !== batch) return false;
    this.#filling = undefined;
    return true;
  }
}
