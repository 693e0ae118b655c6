import { KvConnection, type KvConnectionOptions, type KvSource } from "./kv_connection.ts";

/** KV Connect's limit of keys in one `getMany`. */
const KEYS_PER_READ = 10;

/** Keys that share one read. */
interface Batch {
  readonly keys: Deno.KvKey[];
  readonly entries: Promise<Deno.KvEntryMaybe<unknown>[]>;
  /** Sends the batch. */
  readonly go: () => void;
}

/**
 * Reads single keys of a Deno KV database. Concurrent reads share a `getMany`, which costs less
 * than half as much.
 *
 * A batch collects the keys requested in one turn, or while another batch is being read; it is sent
 * when that one returns, or as soon as it has ten keys. No read waits for a timer, or longer than a
 * {@linkcode KvConnection}'s limit, the wait for the previous batch included. If a batch fails, all
 * its reads reject with its error.
 *
 * A read sees every write acknowledged before it was requested: it never joins a batch that was
 * already sent.
 */
export class KvReads {
  readonly #kv: KvConnection;
  #filling: Batch | undefined;
  #onTheirWay = 0;

  constructor(source: KvSource, options?: KvConnectionOptions) {
    this.#kv = new KvConnection(source, options);
  }

  /** Returns the shared instance of a source. */
  static of(source: KvSource): KvReads {
    let reads = shared.get(source);
    if (!reads) shared.set(source, reads = new KvReads(source));
    return reads;
  }

  /**
   * Returns the value of a key, or undefined.
   *
   * @throws {Error} As {@linkcode KvConnection.run}.
   */
  async get<T>(key: Deno.KvKey): Promise<T | undefined> {
    const batch = this.#filling ??= this.#begin();
    const index = batch.keys.push(key) - 1;
    if (batch.keys.length === KEYS_PER_READ) this.#send(batch);
    const entries = await batch.entries;
    return (entries[index]!.value ?? undefined) as T | undefined;
  }

  #begin(): Batch {
    const turn = Promise.withResolvers<void>();
    const keys: Deno.KvKey[] = [];
    const entries = this.#kv.run(async (kv) => {
      await turn.promise;
      return await kv.getMany(keys);
    });
    const batch: Batch = { keys, entries, go: turn.resolve };
    // The batch may time out before it is sent; no read may join it then.
    entries.catch(() => this.#close(batch));
    if (this.#onTheirWay === 0) queueMicrotask(() => this.#send(batch));
    return batch;
  }

  #send(batch: Batch): void {
    if (!this.#close(batch)) return;
    this.#onTheirWay++;
    batch.go();
    const back = () => {
      this.#onTheirWay--;
      if (this.#filling !== undefined) this.#send(this.#filling);
    };
    batch.entries.then(back, back);
  }

  /** Closes a batch to further reads. Returns false if it was already closed. */
  #close(batch: Batch): boolean {
    if (this.#filling !== batch) return false;
    this.#filling = undefined;
    return true;
  }
}

const shared = new WeakMap<KvSource, KvReads>();
