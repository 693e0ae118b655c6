import { KvConnection, type KvConnectionOptions, type KvSource } from "./kv_connection.ts";

/** KV Connect's limit of keys in one `getMany`. */
const KEYS_PER_READ = 10;

/** Keys that are read in one go. */
interface Batch {
  readonly keys: Deno.KvKey[];
  readonly entries: Promise<Deno.KvEntryMaybe<unknown>[]>;
  /** Lets it go on its way. */
  readonly go: () => void;
}

/**
 * Reads single keys of a Deno KV database; those that are asked for together share a `getMany`, which
 * costs less than half as much.
 *
 * Together are those of one turn, and those that are asked for while a batch is on its way: they go
 * when it is back, or as soon as they are ten. No read waits for a timer, and none longer than a
 * {@linkcode KvConnection}'s limit, the wait for the batch before it included. What a batch fails with
 * is told to everybody who asked.
 *
 * What was acknowledged before a key was asked for is read: no read joins a batch that has gone.
 */
export class KvReads {
  readonly #kv: KvConnection;
  #filling: Batch | undefined;
  #onTheirWay = 0;

  constructor(source: KvSource, options?: KvConnectionOptions) {
    this.#kv = new KvConnection(source, options);
  }

  /** Returns what reads a database for all that is given the same source. */
  static of(source: KvSource): KvReads {
    let reads = shared.get(source);
    if (!reads) shared.set(source, reads = new KvReads(source));
    return reads;
  }

  /**
   * Returns the value of a key, or undefined where there is none.
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
    // It may take too long before it has gone: nobody is to join it then.
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

  /** Lets nobody join a batch any more. Returns false where that was so before. */
  #close(batch: Batch): boolean {
    if (this.#filling !== batch) return false;
    this.#filling = undefined;
    return true;
  }
}

const shared = new WeakMap<KvSource, KvReads>();
