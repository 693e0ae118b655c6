import type { Clock } from "../../core/clock.ts";
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

/** Limits of one batch, within those of an atomic write: 1,000 entries and 800 KiB. */
const MAX_BATCH = 100;
const MAX_BATCH_CHARACTERS = 200_000;

/** How many new entries trigger a sweep of old ones. */
const SWEEP_EVERY = 500;

/**
 * The log in Deno KV. Entries are numbered consecutively, so that readers notice a missing one.
 *
 * Entries that a process appends at the same time are written as one batch, in order.
 */
export class KvLog {
  readonly #options: KvLogOptions;
  readonly #headKey: Deno.KvKey;
  #pending: Pending[] = [];
  #pendingSize = 0;
  #isWriting = false;
  /** The head after the last write. Saves a read if no other process has written since. */
  #head: { value: number; versionstamp: string | null } | undefined;
  #sweptAt = 0;

  constructor(options: KvLogOptions) {
    this.#options = options;
    this.#headKey = [options.prefix, "head"];
  }

  /** The key that changes with every entry. */
  get headKey(): Deno.KvKey {
    return this.#headKey;
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
    if (!this.#isWriting) void this.#write().catch(() => {});
    return promise;
  }

  /** Returns the number of the last entry. @throws {LayerError} */
  head(): Promise<number> {
    return this.#options.access.run(async (kv) => (await kv.get<number>(this.#headKey)).value ?? 0);
  }

  /** Returns the entries after `after`, up to `until`, with their numbers. @throws {LayerError} */
  read(after: number, until: number): Promise<readonly [number, unknown][]> {
    const { access, prefix } = this.#options;
    const range = { start: [prefix, "log", after + 1], end: [prefix, "log", until + 1] };
    return access.run(async (kv) => {
      const entries: [number, unknown][] = [];
      for await (const { key, value } of kv.list(range, { batchSize: 100 })) {
        entries.push([Number(key[2]), value]);
      }
      return entries;
    });
  }

  /** Reads the frame of an entry. @throws {Error} The frame cannot be read. */
  load(stored: StoredFrame): string | Promise<string> {
    if ("frame" in stored) return stored.frame;
    const { access, prefix } = this.#options;
    return access.run((kv) => loadFrame(kv, prefix, stored));
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
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
    this.#isWriting = false;
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
    const { access, prefix, retentionMs: expireIn } = this.#options;
    let entries: LogEntry[] | undefined;
    return access.run(async (kv, isLate) => {
      entries ??= await Promise.all(batch.map(async ({ to, frame }) => ({
        to,
        stored: await storeFrame(kv, prefix, frame, expireIn),
      })));
      const { value, versionstamp } = this.#head ?? await this.#readHead(kv);
      this.#head = undefined;
      if (isLate()) return undefined;
      const write = kv.atomic().check({ key: this.#headKey, versionstamp });
      write.set(this.#headKey, value + entries.length);
      for (const [index, entry] of entries.entries()) {
        write.set([prefix, "log", value + 1 + index], entry, { expireIn });
      }
      const result = await write.commit();
      if (!result.ok) return undefined;
      this.#head = { value: value + entries.length, versionstamp: result.versionstamp };
      return value + 1;
    });
  }

  async #readHead(kv: Deno.Kv): Promise<{ value: number; versionstamp: string | null }> {
    const { value, versionstamp } = await kv.get<number>(this.#headKey);
    return { value: value ?? 0, versionstamp };
  }

  /** Deletes entries beyond `maxEntries`. The database expires old entries itself. */
  async #sweep(head: number): Promise<void> {
    const { access, prefix, maxEntries } = this.#options;
    if (head - this.#sweptAt < SWEEP_EVERY || head <= maxEntries) return;
    this.#sweptAt = head;
    const range = { start: [prefix, "log", 0], end: [prefix, "log", head - maxEntries + 1] };
    await access.run(async (kv) => {
      const old = await Array.fromAsync(kv.list(range, { limit: 2 * SWEEP_EVERY, batchSize: 500 }));
      for (let index = 0; index < old.length; index += SWEEP_EVERY) {
        const write = kv.atomic();
        for (const { key } of old.slice(index, index + SWEEP_EVERY)) write.delete(key);
        await write.commit();
      }
      return true;
    }).catch(() => {});
  }
}
