import type { Clock } from "../../core/clock.ts";
import type { ControlLog } from "../revocation/control_log.ts";
import type { LogPoller } from "../revocation/log_poller.ts";
import type { SessionEvent } from "../session.ts";
import type { KnownSession } from "../session_record.ts";

/** Most cached values of one store. */
const MAX_ENTRIES = 20_000;

/** Idle time after which the caches are cleared and polling stops, in milliseconds. */
const IDLE_MS = 5_000;

/** Options of {@linkcode ReadCache}. */
export interface ReadCacheOptions {
  /** Returns whether all events until a second ago have been applied to the cache. */
  readonly isFresh: () => boolean;
  /** Most cached values. The most recently used half of them is always kept. @default {20_000} */
  readonly maxEntries?: number;
}

/**
 * A read cache: values by id, until they are invalidated.
 *
 * Missing values are not cached, so that requests for unknown ids cannot fill the cache.
 *
 * *Security*: {@linkcode invalidate} removes a value, and also prevents the result of a read in
 * progress from being cached, as it may predate the change. While the cache is not fresh, it returns
 * nothing; its remaining values are valid again once all events since have been applied.
 */
export class ReadCache<T> {
  readonly #isFresh: () => boolean;
  /** Values of one generation. */
  readonly #maxValues: number;
  // Two generations: an exact order of use would need a map update on every use.
  #values = new Map<string, T>();
  #older = new Map<string, T>();
  /** The latest read in progress of each id whose result may be cached. */
  readonly #reads = new Map<string, number>();
  #serial = 0;

  /** Creates an empty cache. */
  constructor({ isFresh, maxEntries = MAX_ENTRIES }: ReadCacheOptions) {
    this.#isFresh = isFresh;
    this.#maxValues = maxEntries / 2;
  }

  /** The number of cached values. */
  get size(): number {
    return this.#values.size + this.#older.size;
  }

  /** Returns a cached value if the cache is fresh. */
  get(id: string): T | undefined {
    if (!this.#isFresh()) return undefined;
    const value = this.#values.get(id);
    if (value !== undefined) return value;
    const older = this.#older.get(id);
    if (older !== undefined) this.#keep(id, older);
    return older;
  }

  /** Reads a value, and caches it unless it is invalidated meanwhile. */
  async load(id: string, read: (id: string) => Promise<T | undefined>): Promise<T | undefined> {
    const serial = ++this.#serial;
    this.#reads.set(id, serial);
    let value: T | undefined;
    try {
      return value = await read(id);
    } finally {
      if (this.#reads.get(id) === serial) {
        this.#reads.delete(id);
        if (value !== undefined) this.#keep(id, value);
      }
    }
  }

  /** Removes a value, and discards the result of a read of it in progress. */
  invalidate(id: string): void {
    this.#values.delete(id);
    this.#older.delete(id);
    this.#reads.delete(id);
  }

  /** Removes the values for which `isOutdated` returns true, and discards all reads in progress. */
  invalidateWhere(isOutdated: (value: T) => boolean): void {
    for (const values of [this.#values, this.#older]) {
      for (const [id, value] of values) if (isOutdated(value)) values.delete(id);
    }
    this.#reads.clear();
  }

  /** Removes all values, and discards all reads in progress. */
  clear(): void {
    this.invalidateWhere(() => true);
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

/** A store that may write its changes to a control log. */
export interface LoggedStore {
  /** The log that changes are written to. */
  readonly controlLog?: ControlLog | undefined;
}

/**
 * The read caches of the sessions and users of a process. At a handshake, they replace reads of the
 * stores while the control log is followed: they are at most a second behind the writes of other
 * processes, and never behind those of this one.
 *
 * The log is followed from the first use until five seconds after the last; then the caches are
 * cleared, so that an idle process costs nothing.
 *
 * *Security*: the caches are not used before the log has been read, if the last read was more than a
 * second ago (a pause of the process), while the log cannot be read, or after the clock was set
 * back. When the log is read again, its events invalidate the values that they concern; if entries
 * may have been missed, the caches are cleared. Only stores that write to the same log have a cache.
 */
export class ReadCaches {
  /** The cache of the sessions; undefined if their store does not write to the log. */
  readonly sessions: ReadCache<KnownSession> | undefined;
  readonly #users = new Map<LoggedStore, ReadCache<unknown>>();
  readonly #poller: LogPoller;
  readonly #clock: Clock;
  #usedAt = 0;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  /** Creates empty caches for a store of sessions, which the events that `poller` reads keep current. */
  constructor(sessions: LoggedStore, options: { poller: LogPoller; clock: Clock }) {
    this.#poller = options.poller;
    this.#clock = options.clock;
    this.sessions = this.#create(sessions);
  }

  /** Returns the cache of a store of users, always the same one for a store; see `sessions`. */
  ofUsers<T>(users: LoggedStore): ReadCache<T> | undefined {
    const known = this.#users.get(users);
    if (known !== undefined) return known as unknown as ReadCache<T>; // A store has values of one type.
    const cache = this.#create<T>(users);
    if (cache !== undefined) this.#users.set(users, cache as unknown as ReadCache<unknown>);
    return cache;
  }

  /** Marks the caches as in use, and returns whether they may be used. */
  isFresh(): boolean {
    if (this.#isClosed) return false;
    this.#usedAt = this.#clock.elapsed();
    if (this.#cancel === undefined) {
      this.#poller.start(this);
      this.#arm(IDLE_MS);
    }
    return this.#poller.isCaughtUp;
  }

  /** Invalidates the values that an event concerns. */
  apply(event: SessionEvent): void {
    if (event.type === "ended") return this.sessions?.invalidate(event.sessionId);
    if (event.type === "renewed") return this.sessions?.invalidate(event.session.id);
    const { type, userId } = event;
    for (const cache of this.#users.values()) cache.invalidate(userId);
    if (type === "user-ended") {
      this.sessions?.invalidateWhere(({ session }) => session.userId === userId);
    }
  }

  /** Clears the caches, because events may have been missed. */
  clear(): void {
    this.sessions?.clear();
    for (const cache of this.#users.values()) cache.clear();
  }

  /** Clears the caches for good. */
  close(): void {
    this.#isClosed = true;
    this.#rest();
  }

  #create<T>({ controlLog }: LoggedStore): ReadCache<T> | undefined {
    if (controlLog !== this.#poller.controlLog) return undefined;
    return new ReadCache({ isFresh: () => this.isFresh() });
  }

  #arm(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      const idleMs = this.#clock.elapsed() - this.#usedAt;
      if (idleMs >= IDLE_MS || idleMs < 0) this.#rest();
      else this.#arm(IDLE_MS - idleMs);
    });
  }

  #rest(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#poller.stop(this);
    this.clear();
  }
}
