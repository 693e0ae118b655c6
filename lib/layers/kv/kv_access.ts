import type { Clock } from "../../core/clock.ts";
import type { KeyValue } from "../../kv/mod.ts";
import { closedError, LayerError } from "../layer_error.ts";
import { pause, within } from "../../core/within.ts";
import { retryPauseMs } from "../../time/retry_pause.ts";

const MIN_PAUSE_MS = 4;
const MAX_PAUSE_MS = 128;

/** Access to a database with the time limit and the errors of a layer. */
export class KvAccess {
  readonly #kv: KeyValue;
  readonly #clock: Clock;
  /** How long an operation may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly #closing = Promise.withResolvers<never>();
  #isClosed = false;

  constructor(kv: KeyValue, options: { clock: Clock; timeoutMs: number }) {
    this.#kv = kv;
    this.#clock = options.clock;
    this.timeoutMs = options.timeoutMs;
    this.#closing.promise.catch(() => {});
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Calls `use` with the database. Retries if `use` returned `undefined` because of a conflicting
   * write. `late` is aborted once the caller has timed out. The
   * limit counts from `since`.
   *
   * @throws {LayerError} `UNAVAILABLE` after `timeoutMs`; a write may still have happened.
   */
  async run<T>(
    use: (kv: KeyValue, late: AbortSignal) => Promise<T | undefined>,
    since: number = this.#clock.elapsed(),
  ): Promise<T> {
    const ms = since + this.timeoutMs - this.#clock.elapsed();
    const late = new AbortController();
    if (ms <= 0) late.abort();
    try {
      return await this.within(this.#repeat(use, late.signal), ms);
    } finally {
      late.abort();
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

  /** Rejects pending operations with `CLOSED`. The database stays open: the caller owns it. */
  close(): void {
    this.#isClosed = true;
    this.#closing.reject(closedError());
  }

  async #repeat<T>(
    use: (kv: KeyValue, late: AbortSignal) => Promise<T | undefined>,
    late: AbortSignal,
  ): Promise<T> {
    if (this.#isClosed) throw closedError();
    for (let attempt = 1; !late.aborted; attempt++) {
      const result = await use(this.#kv, late);
      if (result !== undefined) return result;
      const longest = retryPauseMs(attempt, { minMs: MIN_PAUSE_MS, maxMs: MAX_PAUSE_MS });
      await pause(this.#clock, Math.random() * longest);
    }
    throw unavailable();
  }
}

/** Returns the error of an operation that failed or took too long. */
export function unavailable(cause?: unknown): LayerError {
  return new LayerError("UNAVAILABLE", "The channel layer's database is unavailable", { cause });
}
