import type { Clock } from "../../core/clock.ts";
import { closedError, LayerError } from "../layer_error.ts";
import { pause, within } from "../../core/within.ts";
import { retryPauseMs } from "../../time/retry_pause.ts";

/** A Deno KV database, or a function that opens it. The function is called until it succeeds. */
export type KvLayerSource = Deno.Kv | (() => Promise<Deno.Kv>);

const ATTEMPTS = 30;
const MIN_PAUSE_MS = 4;
const MAX_PAUSE_MS = 128;

/**
 * Access to a database that may open late, be locked by other processes, or hang.
 *
 * Deno's SQLite backend throws `database is locked` when several processes write at once. The
 * operation is then retried after a random pause.
 */
export class KvAccess {
  readonly #source: KvLayerSource;
  readonly #clock: Clock;
  /** How long an operation may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly #closing = Promise.withResolvers<never>();
  /** The database that the source has opened or is opening. */
  #opening: Promise<Deno.Kv> | undefined;
  #isClosed = false;

  constructor(source: KvLayerSource, options: { clock: Clock; timeoutMs: number }) {
    this.#source = source;
    this.#clock = options.clock;
    this.timeoutMs = options.timeoutMs;
    this.#closing.promise.catch(() => {});
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Calls `use` with the database. Retries if the database was locked, or if `use` returned
   * `undefined` because of a conflicting write. `isLate()` is true once the caller has timed out. The
   * limit counts from `since`.
   *
   * @throws {LayerError} `UNAVAILABLE` after `timeoutMs`; a write may still have happened.
   */
  async run<T>(
    use: (kv: Deno.Kv, isLate: () => boolean) => Promise<T | undefined>,
    since: number = this.#clock.elapsed(),
  ): Promise<T> {
    const ms = since + this.timeoutMs - this.#clock.elapsed();
    let isLate = ms <= 0;
    try {
      return await this.within(this.#repeat(use, () => isLate), ms);
    } finally {
      isLate = true;
    }
  }

  /** Awaits `work` for `timeoutMs` at most. @throws {LayerError} `UNAVAILABLE`, or `CLOSED`. */
  async within<T>(work: Promise<T>, ms: number = this.timeoutMs): Promise<T> {
    const limit = { clock: this.#clock, ms, late: unavailable };
    try {
      return await within(Promise.race([work, this.#closing.promise]), limit);
    } catch (error) {
      throw error instanceof LayerError ? error : unavailable(error);
    }
  }

  /** Calls `callback` on `close()`. */
  onClose(callback: () => void): void {
    this.#closing.promise.catch(callback);
  }

  /** Rejects pending operations with `CLOSED`. The database stays open: the caller owns it. */
  close(): void {
    this.#isClosed = true;
    this.#closing.reject(closedError());
  }

  async #repeat<T>(
    use: (kv: Deno.Kv, isLate: () => boolean) => Promise<T | undefined>,
    isLate: () => boolean,
  ): Promise<T> {
    if (this.#isClosed) throw closedError();
    for (let attempt = 1; !isLate(); attempt++) {
      try {
        const result = await use(await this.#open(), isLate);
        if (result !== undefined) return result;
      } catch (error) {
        if (attempt >= ATTEMPTS || !isLocked(error)) throw error;
      }
      const longest = retryPauseMs(attempt, { minMs: MIN_PAUSE_MS, maxMs: MAX_PAUSE_MS });
      await pause(this.#clock, Math.random() * longest);
    }
    throw unavailable();
  }

  /** Shares one handle, because each handle keeps files open. */
  async #open(): Promise<Deno.Kv> {
    if (typeof this.#source !== "function") return this.#source;
    const opening = this.#opening ??= this.#source();
    try {
      return await opening;
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }
}

/** Returns the error of an operation that failed or took too long. */
export function unavailable(cause?: unknown): LayerError {
  return new LayerError("UNAVAILABLE", "The channel layer's database is unavailable", { cause });
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && error.message.includes("database is locked");
}
