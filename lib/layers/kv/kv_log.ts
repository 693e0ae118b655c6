import type { Clock } from "../../core/clock.ts";
import { AppendLog, type LogHead } from "../../kv/append_log.ts";
import type { KeyValue } from "../../kv/mod.ts";
import { type KvAccess, unavailable } from "./kv_access.ts";
import { loadFrame, type StoredFrame, storeFrame } from "./kv_frames.ts";
import { LayerError } from "../layer_error.ts";

/** One stored entry of the log. */
export interface LogEntry {
  /** The recipient: `g:GROUP` or `p:PROCESS`. */
  readonly to: string;
  readonly stored: StoredFrame;
}

/** What a {@linkcode KvLog} is given. */
export interface KvLogOptions {
  readonly access: KvAccess;
  readonly kv: KeyValue;
  readonly prefix: string;
  readonly clock: Clock;
  /** How long entries are kept, in milliseconds. */
  readonly retentionMs: number;
  /** How many entries are kept. */
  readonly maxEntries: number;
  /** Maximum number of characters waiting to be written. */
  readonly maxPendingBytes: number;
}

interface Pending {
  readonly since: number;
  readonly to: string;
  readonly frame: string;
  resolve(number: number): void;
  reject(error: unknown): void;
}

/** Limits of one batch, within those of an atomic operation. */
const MAX_BATCH = 100;
const MAX_BATCH_CHARACTERS = 200_000;

/** How many new entries trigger a sweep of old ones, which deletes up to twice as many. */
const SWEEP_EVERY = 500;

/**
 * The log of a layer. Entries that a process appends at the same time are written as one batch, in order.
 */
export class KvLog {
  readonly #options: KvLogOptions;
  readonly #entries: AppendLog<LogEntry>;
  #pending: Pending[] = [];
  #pendingSize = 0;
  #writing: Promise<void> | undefined;
  /** The head after the last write. Saves a read if no other process has written since. */
  #head: LogHead | undefined;
  #sweptAt = 0;

  constructor(options: KvLogOptions) {
    this.#options = options;
    this.#entries = new AppendLog(options.kv, {
      headKey: [options.prefix, "head"],
      prefix: [options.prefix, "log"],
      keepMs: options.retentionMs,
      topic: options.prefix,
    });
  }

  /** Calls `listener` soon after an append, as a hint to read the log. Returns a function to stop. */
  onAppend(listener: () => void): () => void {
    return this.#entries.onAppend(listener);
  }

  /** Appends an entry, and resolves with its number. @throws {LayerError} */
  append(to: string, frame: string): Promise<number> {
    const { maxPendingBytes } = this.#options;
    if (this.#pendingSize + frame.length > maxPendingBytes) {
      const limit = `Cannot have more than ${maxPendingBytes} bytes waiting to be written`;
      return Promise.reject(new LayerError("LIMIT_REACHED", limit));
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#pendingSize += frame.length;
    const since = this.#options.clock.elapsed();
    this.#pending.push({ since, to, frame, resolve, reject });
    this.#writing ??= this.#write().finally(() => this.#writing = undefined);
    return promise;
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /** Returns the number of the last entry. @throws {LayerError} */
  head(): Promise<number> {
    return this.#options.access.run(async () => (await this.#entries.head()).number);
  }

  /** Returns the entries after `after`, up to `until`, with their numbers. @throws {LayerError} */
  read(after: number, until: number): Promise<readonly [number, unknown][]> {
    return this.#options.access.run(() => this.#entries.read(after, until));
  }

  /** Reads the frame of an entry. @throws {Error} The frame cannot be read. */
  load(stored: StoredFrame): string | Promise<string> {
    if ("frame" in stored) return stored.frame;
    const { access, prefix } = this.#options;
    return access.run((kv) => loadFrame(kv, prefix, stored));
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#takeBatch().filter((pending) => this.#isInTime(pending));
      if (batch.length === 0) continue;
      try {
        const first = await this.#commit(batch);
        for (const [index, { resolve }] of batch.entries()) resolve(first + index);
        await this.#sweep(first + batch.length - 1);
      } catch (error) {
        this.#head = undefined;
        for (const { reject } of batch) reject(error);
      }
    }
  }

  /** Rejects an entry that has waited too long. Its sender has timed out already. */
  #isInTime({ since, reject }: Pending): boolean {
    const { access, clock } = this.#options;
    const isInTime = clock.elapsed() - since < access.timeoutMs;
    if (!isInTime) reject(unavailable());
    return isInTime;
  }

  #takeBatch(): Pending[] {
    let size = 0;
    let count = 0;
    for (const { frame } of this.#pending) {
      if (count === MAX_BATCH || (count > 0 && size + frame.length > MAX_BATCH_CHARACTERS)) break;
      size += frame.length;
      count++;
    }
    this.#pendingSize -= size;
    return this.#pending.splice(0, count);
  }

  /** Returns the number of the batch's first entry. */
  #commit(batch: readonly Pending[]): Promise<number> {
    const { access, prefix, retentionMs } = this.#options;
    let entries: LogEntry[] | undefined;
    return access.run(async (kv, late) => {
      entries ??= await Promise.all(batch.map(async ({ to, frame }) => ({
        to,
        stored: await storeFrame(kv, prefix, frame, retentionMs),
      })));
      const head = this.#head ?? await this.#entries.head();
      this.#head = undefined;
      if (late.aborted) return undefined;
      const operation = kv.atomic();
      const last = this.#entries.append(operation, head, entries);
      const result = await operation.commit({ signal: late });
      if (!result.ok) return undefined;
      this.#head = { number: last, check: { key: head.check.key, version: result.version } };
      return head.number + 1;
    });
  }

  /** Deletes entries beyond `maxEntries`. The database expires old entries itself. */
  async #sweep(head: number): Promise<void> {
    const { access, maxEntries } = this.#options;
    if (head - this.#sweptAt < SWEEP_EVERY || head <= maxEntries) return;
    this.#sweptAt = head;
    const sweep = () => access.run(() => this.#entries.deleteBefore(head - maxEntries + 1));
    await sweep().then((deleted) => deleted > 0 ? sweep() : deleted).catch(() => {});
  }
}
