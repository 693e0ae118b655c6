import type { SessionEvent } from "./session.ts";

/** Most values that are kept. */
const MAX_ENTRIES = 20_000;

/** Says whether what was read can still be relied on. */
export interface ReadTrust {
  /** Whether all that happened until a second ago has been applied to what is kept. */
  rely(): boolean;
}

/** Takes out what an event makes out of date. */
export type Outdate<T> = (event: SessionEvent, reads: RecentReads<T>) => void;

/** How {@linkcode RecentReads} keeps. */
export interface RecentReadsOptions<T> {
  readonly trust: ReadTrust;
  readonly outdate: Outdate<T>;
  /** Values that are kept at most; of them the half that was used most recently. @default {20_000} */
  readonly maxEntries?: number;
}

/**
 * Values that were just read, by id, for as long as nothing is known that makes them out of date.
 *
 * That there is nothing at an id is not kept, so that asking for ids that do not exist fills nothing.
 *
 * *Security*: an event takes out the value, and also keeps a reading that is under way from being kept:
 * it may have read what was there before. While the trust is gone nothing is returned; what is kept is
 * good again once all events since have been applied.
 */
export class RecentReads<T> {
  readonly #trust: ReadTrust;
  readonly #outdate: Outdate<T>;
  /** Values of one generation. */
  readonly #maxValues: number;
  // Two generations: to keep the order of use exactly, every use would have to change a map.
  #values = new Map<string, T>();
  #older = new Map<string, T>();
  /** The latest reading of each id that is under way and may be kept. */
  readonly #readings = new Map<string, number>();
  #serial = 0;

  constructor(options: RecentReadsOptions<T>) {
    this.#trust = options.trust;
    this.#outdate = options.outdate;
    this.#maxValues = (options.maxEntries ?? MAX_ENTRIES) / 2;
  }

  /** How many values are kept. */
  get size(): number {
    return this.#values.size + this.#older.size;
  }

  /** Returns a value that was read recently and is still to be trusted. */
  recall(id: string): T | undefined {
    if (!this.#trust.rely()) return undefined;
    const value = this.#values.get(id);
    if (value !== undefined) return value;
    const older = this.#older.get(id);
    if (older !== undefined) this.#keep(id, older);
    return older;
  }

  /** Reads a value, and keeps it unless an event came meanwhile. */
  async read(id: string, load: (id: string) => Promise<T | undefined>): Promise<T | undefined> {
    const serial = ++this.#serial;
    this.#readings.set(id, serial);
    let value: T | undefined;
    try {
      return value = await load(id);
    } finally {
      if (this.#readings.get(id) === serial) {
        this.#readings.delete(id);
        if (value !== undefined) this.#keep(id, value);
      }
    }
  }

  /** Takes note of what happened to a session or a person. */
  apply(event: SessionEvent): void {
    this.#outdate(event, this);
  }

  /** Takes a value out, and keeps none that is being read. */
  forget(id: string): void {
    this.#values.delete(id);
    this.#older.delete(id);
    this.#readings.delete(id);
  }

  /** Takes out the values that `isOutdated` says, and keeps none that is being read. */
  forgetWhere(isOutdated: (value: T) => boolean): void {
    for (const values of [this.#values, this.#older]) {
      for (const [id, value] of values) if (isOutdated(value)) values.delete(id);
    }
    this.#readings.clear();
  }

  /** Takes everything out, and keeps nothing that is being read. */
  clear(): void {
    this.#values.clear();
    this.#older.clear();
    this.#readings.clear();
  }

  #keep(id: string, value: T): void {
    this.#older.delete(id);
    if (this.#values.size >= this.#maxValues && !this.#values.has(id)) {
      this.#older = this.#values;
      this.#values = new Map();
    }
    this.#values.set(id, value);
  }
}
