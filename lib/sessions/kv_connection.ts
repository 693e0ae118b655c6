import { setTimeout } from "node:timers/promises";
import { type Clock, systemClock } from "../scope.ts";

/**
 * A Deno KV database, or what opens it. The same function given to several stores is called once, so
 * that a process keeps one handle; where it fails, the next use calls it again.
 */
export type KvSource = Deno.Kv | (() => Promise<Deno.Kv>);

/** How a {@linkcode KvConnection} deals with trouble. */
export interface KvConnectionOptions {
  /** How often something is tried while the database is locked. @default {10} */
  readonly attempts?: number;
  /** How long one use may take in all, in milliseconds. @default {5_000} */
  readonly timeoutMs?: number;
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** Waits between two attempts. @default {a timer that keeps the process alive} */
  readonly pause?: (ms: number) => Promise<void>;
}

/**
 * Uses a Deno KV database that may open late, be locked by others, or hang.
 *
 * Deno's SQLite backend throws `database is locked` where several processes write: the use is
 * repeated then after a random pause, doubling from 4 ms to 256 ms.
 */
export class KvConnection {
  readonly #source: KvSource;
  readonly #attempts: number;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #pause: (ms: number) => Promise<void>;

  constructor(source: KvSource, options: KvConnectionOptions = {}) {
    this.#source = source;
    this.#attempts = options.attempts ?? 10;
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    this.#clock = options.clock ?? systemClock;
    // Not the clock's timers: they would let a process end in the middle of a write.
    this.#pause = options.pause ?? setTimeout;
  }

  /**
   * Calls `use` with the open database and returns what it returns.
   *
   * @throws {Error} The database could not be opened, stayed locked, or did not answer in time. A
   * write may have been done all the same.
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
