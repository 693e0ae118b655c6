import type { SessionEvent } from "../session.ts";

/** Most cached values. */
const MAX_ENTRIES = 20_000;

/** Tells whether cached values may be used. */
export interface ReadTrust {
  /** Returns whether all events until a second ago have been applied to the cache. */
  rely(): boolean;
}

/** Invalidates the values that an event makes outdated. */
export type Outdate<T> = (event: SessionEvent, reads: RecentReads<T>) => void;

/** Options of {@linkcode RecentReads}. */
export interface RecentReadsOptions<T> {
  readonly trust: ReadTrust;
  readonly outdate: Outdate<T>;
  /** Most cached values. The most recently used half of them is always kept. @default {20_000} */
  readonly maxEntries?: number;
}

/**
 * A read cache: values by id, until an event invalidates them.
 *
 * Missing values are not cached, so that requests for unknown ids cannot fill the cache.
 *
 * *Security*: an event removes the value, and also prevents the result of a read in progress from
 * being cached, as it may predate the event. While the cache is not trusted, it returns nothing;
 * its values are valid again once all events since have been applied.
 */
export class RecentReads<T> {
  readonly #trust: ReadTrust;
  readonly #outdate: Outdate<T>;
  /** Values of one generation. */
  readonly #maxValues: number;
  // Two generations: an exact order of use would need a map update on every use.
  #values = new Map<string, T>();
  #older = new Map<string, T>();
  /** The latest read in progress of each id whose result may be cached. */
  readonly #readings = new Map<string, number>();
  #serial = 0;

  constructor(options: RecentReadsOptions<T>) {
    this.#trust = options.trust;
    this.#outdate = options.outdate;
    this.#maxValues = (options.maxEntries ?? MAX_ENTRIES) / 2;
  }

  /** The number of cached values. */
  get size(): number {
    return this.#values.size + this.#older.size;
  }

  /** Returns a cached value if the cache may be used. */
  recall(id: string): T | undefined {
    if (!this.#trust.rely()) return undefined;
    const value = this.#values.get(id);
    if (value !== undefined) return value;
    const older = this.#older.get(id);
    if (older !== undefined) this.#keep(id, older);
    return older;
  }

  /** Reads a value, and caches it unless an event arrived meanwhile. */
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

  /** Applies an event. */
  apply(event: SessionEvent): void {
    this.#outdate(event, this);
  }

  /** Invalidates a value, and the result of a read of it in progress. */
  forget(id: string): void {
    this.#values.delete(id);
    this.#older.delete(id);
    this.#readings.delete(id);
  }

  /** Invalidates the values for which `isOutdated` returns true, and all reads in progress. */
  forgetWhere(isOutdated: (value: T) => boolean): void {
    for (const values of [this.#values, this.#older]) {
      for (const [id, value] of values) if (isOutdated(value)) values.delete(id);
    }
    this.#readings.clear();
  }

  /** Invalidates all values and all reads in progress. */
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
