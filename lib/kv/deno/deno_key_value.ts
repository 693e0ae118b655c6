import { type Clock, systemClock } from "../../core/clock.ts";
import type { KvWrite } from "../atomic_operation.ts";
import { BaseKeyValue } from "../base_key_value.ts";
import type { KvCommit, KvEntry, KvKey, KvPage, KvResult } from "../key_value.ts";
import { type ListRequest, pageOf } from "../list_request.ts";
import { isLocked, PatientRunner } from "../patient_runner.ts";
import { ReadBatcher } from "../read_batcher.ts";
import { DenoWatch, wakeKey } from "./deno_watch.ts";

/** Options of {@linkcode DenoKeyValue}. */
export interface DenoKeyValueOptions {
  /** Limit for one call, in milliseconds, opening and retries included. @default {5_000} */
  readonly timeoutMs?: number;
  /**
   * Whether `watch` sees commits of other processes, as it does over KV Connect but not with a file.
   * Then `onChange` hears them as well. @default {false}
   */
  readonly watch?: boolean;
  /** Measures the time limit. @default {systemClock} */
  readonly clock?: Clock;
  /** Waits between two attempts. @default {a timer that keeps the process alive} */
  readonly pause?: (ms: number) => Promise<void>;
}

/** KV Connect's limit of keys in one `getMany`. */
const KEYS_PER_READ = 10;

/**
 * Deno KV as a {@linkcode KeyValue}: a file, or a server of KV Connect.
 *
 * Deno's SQLite backend throws `database is locked` when several processes write. The use is then
 * retried after a random pause, which doubles from 4 ms to 256 ms. Closing closes the database only
 * if a function has opened it. Concurrent reads of single keys share a request.
 *
 * @example
 * ```ts
 * import { DenoKeyValue } from "@sluice/sluice/kv/deno";
 * import assert from "node:assert/strict";
 *
 * await using kv = new DenoKeyValue(() => Deno.openKv(":memory:"));
 * await kv.set(["greeting"], "hello");
 * assert.equal((await kv.get(["greeting"])).value, "hello");
 * ```
 */
export class DenoKeyValue extends BaseKeyValue {
  readonly #source: Deno.Kv | (() => Promise<Deno.Kv>);
  readonly #runner: PatientRunner;
  readonly #reads: ReadBatcher;
  readonly #watch: DenoWatch | undefined;
  #opening: Promise<Deno.Kv> | undefined;

  /**
   * Creates a database over a Deno KV.
   *
   * @param source The database, or a function that opens it at first use.
   */
  constructor(source: Deno.Kv | (() => Promise<Deno.Kv>), options: DenoKeyValueOptions = {}) {
    super();
    this.#source = source;
    this.#runner = new PatientRunner(isLocked, options);
    this.#reads = new ReadBatcher((keys, sent) => this.#getMany(keys, sent), KEYS_PER_READ);
    if (options.watch) {
      const open = () => this.#open();
      const clock = options.clock ?? systemClock;
      this.#watch = new DenoWatch({ open, listeners: this.listeners, clock });
    }
  }

  /** Reads one key. */
  protected override readOne(key: KvKey): Promise<KvResult> {
    return this.#reads.get(key);
  }

  /** Reads several keys. */
  protected readMany(keys: readonly KvKey[]): Promise<KvResult[]> {
    return this.#getMany(keys, Promise.resolve());
  }

  /** @internal */
  protected readPage(request: ListRequest): Promise<KvPage> {
    const { limit, reverse } = request;
    return this.#run(async (kv) => {
      const found = kv.list(selectorOf(request), { limit, reverse, batchSize: limit });
      const entries: KvEntry[] = [];
      for await (const { key, value, versionstamp } of found) {
        entries.push({ key: key as KvKey, value, version: versionstamp });
      }
      return pageOf(entries, request);
    });
  }

  /** Commits a write, if its checks hold. */
  protected async write({ checks, mutations, topics, signal }: KvWrite): Promise<KvCommit> {
    const result = await this.#run((kv) => {
      const operation = kv.atomic();
      for (const { key, version } of checks) {
        operation.check({ key: denoKey(key), versionstamp: version });
      }
      for (const { key, value, expireInMs } of mutations) {
        if (value === undefined) operation.delete(denoKey(key));
        else {
          operation.set(
            denoKey(key),
            value,
            expireInMs === undefined ? {} : { expireIn: expireInMs },
          );
        }
      }
      if (this.#watch) { for (const topic of topics) operation.set(wakeKey(topic), null); }
      return operation.commit();
    }, signal);
    if (!result.ok) return { ok: false };
    this.listeners.call(topics);
    return { ok: true, version: result.versionstamp };
  }

  /** Releases the database. */
  protected async end(): Promise<void> {
    await this.#watch?.close();
    const kv = await this.#opening?.catch(() => undefined);
    kv?.close();
  }

  #getMany(keys: readonly KvKey[], sent: Promise<void>): Promise<KvResult[]> {
    return this.#run(async (kv) => {
      await sent;
      const parts: Promise<KvResult[]>[] = [];
      for (let at = 0; at < keys.length; at += KEYS_PER_READ) {
        parts.push(getPart(kv, keys.slice(at, at + KEYS_PER_READ)));
      }
      return (await Promise.all(parts)).flat();
    });
  }

  #run<T>(use: (kv: Deno.Kv) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#runner.run(async () => await use(await this.#open()), signal);
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

async function getPart(kv: Deno.Kv, keys: readonly KvKey[]): Promise<KvResult[]> {
  const entries = await kv.getMany<unknown[]>(keys.map(denoKey));
  return entries.map(({ value, versionstamp }, index) => {
    const key = keys[index]!;
    return versionstamp === null
      ? { key, value: undefined, version: null }
      : { key, value, version: versionstamp };
  });
}

/** In Deno KV's order, empty bytes are the smallest part of a key, and `true` is the greatest. */
function selectorOf({ range, last, reverse }: ListRequest): Deno.KvListSelector {
  const prefix = denoKey(range.prefix);
  const start = range.start === undefined ? [...prefix, new Uint8Array()] : denoKey(range.start);
  const end = range.end === undefined ? [...prefix, true] : denoKey(range.end);
  if (last === undefined) return { start, end };
  return reverse
    ? { start, end: denoKey(last) }
    : { start: [...denoKey(last), new Uint8Array()], end };
}

/** Deno KV distinguishes -0 from 0. */
function denoKey(key: KvKey): Deno.KvKey {
  return key.map((part) => typeof part === "number" ? part + 0 : part);
}
