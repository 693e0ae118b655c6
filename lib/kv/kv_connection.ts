import { setTimeout } from "node:timers/promises";
import { type Clock, systemClock } from "../core/clock.ts";

/**
 * A Deno KV database, or a function that opens it. If several stores share the function, it is
 * called once, so that a process keeps one handle. If it fails, the next use calls it again.
 */
export type KvSource = Deno.Kv | (() => Promise<Deno.Kv>);

/** Options of {@linkcode KvConnection}. */
export interface KvConnectionOptions {
  /** Most attempts while the database is locked. @default {25}: for about 2 s */
  readonly attempts?: number;
  /** Limit for one use in total, in milliseconds. @default {5_000} */
  readonly timeoutMs?: number;
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** Waits between two attempts. @default {a timer that keeps the process alive} */
  readonly pause?: (ms: number) => Promise<void>;
}

/**
 * Uses a Deno KV database that may open late, be locked by other processes, or hang.
 *
 * Deno's SQLite backend throws `database is locked` when several processes write. The use is then
 * retried after a random pause, which doubles from 4 ms to 256 ms.
 */
export class KvConnection {
  readonly #source: KvSource;
  readonly #attempts: number;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #pause: (ms: number) => Promise<void>;

  constructor(source: KvSource, options: KvConnectionOptions = {}) {
    this.#source = source;
    this.#attempts = options.attempts ?? 25;
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    this.#clock = options.clock ?? systemClock;
    // The clock's timers do not keep the process alive: it could exit in the middle of a write.
    this.#pause = options.pause ?? setTimeout;
  }

  /**
   * Calls `use` with the open database and returns its result.
   *
   * @throws {Error} The database could not be opened, stayed locked, or did not answer in time. A
   * write may have succeeded anyway.
   */
  async run<T>(use: (kv: Deno.Kv) => Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const cancel = this.#clock.after(this.#timeoutMs, () => {
      late.reject(new Error(`The database did not answer within ${this.#timeoutMs} ms`));
    });
    try {
      return await Promise.race([this.#retry(use), late.promise]);
    } finally {
      cancel();
    }
  }

  async #retry<T>(use: (kv: Deno.Kv) => Promise<T>): Promise<T> {
    for (let attempt = 1;; attempt++) {
      try {
        return await use(await open(this.#source));
      } catch (error) {
        if (attempt >= this.#attempts || !isLocked(error)) throw error;
        await this.#pause(Math.random() * Math.min(256, 2 ** (attempt + 1)));
      }
    }
  }
}

const opened = new WeakMap<() => Promise<Deno.Kv>, Promise<Deno.Kv>>();

function open(source: KvSource): Deno.Kv | Promise<Deno.Kv> {
  if (typeof source !== "function") return source;
  let kv = opened.get(source);
  if (!kv) {
    kv = source();
    opened.set(source, kv);
    kv.catch(() => opened.delete(source));
  }
  return kv;
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && error.message.includes("database is locked");
}
