import { StateSync } from "../cluster/state_sync.ts";
import type { Changes } from "../cluster/sync_message.ts";
import type { ProcessLayer } from "../cluster/process_group.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { LocalSocketCounter, type SocketCounter } from "./socket_limits.ts";

/** Options of {@linkcode SharedSocketCounter}. */
export interface SharedSocketCounterOptions {
  /** How long changes are collected before they are sent, in milliseconds. @default {250} */
  readonly announceMs?: number;
  /** Interval between the heartbeats of a process, in milliseconds. @default {2_000} */
  readonly heartbeatMs?: number;
  /** How long a process may be silent before its sockets stop counting, in milliseconds. @default {6_000} */
  readonly timeoutMs?: number;
  /** How long the first socket waits for the others' counts, in milliseconds. @default {500} */
  readonly syncTimeoutMs?: number;
  /** The group for messages between processes; those in the same group count together. @default {"sluice.sockets"} */
  readonly controlGroup?: string;
  /** Times heartbeats and batches. @default {systemClock} */
  readonly clock?: Clock;
  /** Receives a warning for the first message that cannot be read. */
  readonly log?: Pick<Log, "warn">;
}

/** The number of sockets that a process has for a key; 0 after the last has ended. */
type Count = readonly [key: string, count: number];

/** Maximum count of a key: more than any process can have. */
const MAX_COUNT = 10_000_000;

/** Maximum length of a key, in characters. */
const MAX_KEY_LENGTH = 400;

/**
 * Counts open sockets over all processes that share a channel layer.
 *
 * Each process counts its own sockets and sends changes to the others in batches, so a new socket needs
 * no read. The others do not know of the latest sockets (those of two `announceMs`). Until they do, a process
 * accepts no more than its share of the free places, and further sockets wait for that long. So _n_
 * processes that are asked at the same time accept at most _n_ - 1 sockets over the limit, once. If
 * messages take longer than `announceMs`, the excess can be as large as the number of sockets that arrive
 * meanwhile.
 *
 * The sockets of a killed process count for `timeoutMs` and two heartbeats more (10 s). Processes that
 * cannot reach each other continue with the last counts they received.
 *
 * *Security*: keys are sent over the layer in plain text. A client with write access to the layer can use
 * up the limit of any key, or hide the sockets of another process.
 *
 * @example
 * ```ts
 * import { MemoryChannelLayer } from "@sluice/sluice";
 * import { SharedSocketCounter } from "@sluice/sluice/security";
 * import assert from "node:assert/strict";
 *
 * const layer = new MemoryChannelLayer(); // one that spans processes, elsewhere
 * const counter = new SharedSocketCounter(layer);
 * const release = await counter.take("user ada", 1);
 * assert.equal(await counter.take("user ada", 1), undefined);
 * release?.();
 * await counter.close();
 * ```
 */
export class SharedSocketCounter implements SocketCounter, AsyncDisposable {
  readonly #announceMs: number;
  readonly #clock: Clock;
  readonly #here = new LocalSocketCounter((key) => this.#changed(key));
  readonly #elsewhere = new Map<string, number>();
  readonly #known = new Map<string, number>();
  readonly #sync: StateSync<Count>;
  readonly #untold = new Set<string>();
  /** The changes of the last message, which may not have arrived yet. */
  #onTheWay: readonly Count[] = [];
  /** The counts of this process that all others know, because they were sent long enough ago. */
  readonly #settled = new Map<string, number>();
  #waiting: (() => void)[] = [];
  #cancel: (() => void) | undefined;
  #started: Promise<void> | undefined;
  #isReady = false;
  #isTelling = false;
  #isClosed = false;

  /** Creates a counter, which joins the other processes at first use. */
  constructor(layer: ProcessLayer, options: SharedSocketCounterOptions = {}) {
    this.#announceMs = options.announceMs ?? 250;
    this.#clock = options.clock ?? systemClock;
    this.#sync = new StateSync<Count>({
      layer,
      clock: this.#clock,
      log: options.log,
      group: options.controlGroup ?? "sluice.sockets",
      type: "sluice.sockets",
      changes: COUNTS,
      heartbeatMs: options.heartbeatMs ?? 2_000,
      timeoutMs: options.timeoutMs ?? 6_000,
      goodbyeMs: 0,
      syncTimeoutMs: options.syncTimeoutMs ?? 500,
      state: () => [...this.#here.entries()],
      change: (process, change) => this.#hear(process, change),
    });
  }

  /**
   * Joins the other processes, and resolves when their counts are known or the time limit has passed.
   * Without this call, the first sockets wait for that.
   */
  join(): Promise<void> {
    return this.#started ??= this.#sync.ready().then(() => {
      this.#isReady = true;
    });
  }

  take(
    key: string,
    limit: number,
  ): (() => void) | undefined | Promise<(() => void) | undefined> {
    if (this.#isReady && this.#mayTake(key, limit) && this.count(key) < limit) {
      return this.#here.take(key, Infinity);
    }
    return this.#takeInTurn(key, limit);
  }

  async #takeInTurn(key: string, limit: number): Promise<(() => void) | undefined> {
    if (!this.#isReady) await this.join();
    while (this.count(key) < limit) {
      if (this.#mayTake(key, limit)) return this.#here.take(key, Infinity);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return undefined;
  }

  /** The number of sockets of a key, in this process and, as far as known, in others. */
  count(key: string): number {
    return this.#here.count(key) + (this.#elsewhere.get(key) ?? 0);
  }

  /** Announces that this process stops, and counts for this process alone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    this.#wake();
    await this.#sync.close();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Returns whether one more socket is within the share that this process may accept unannounced. */
  #mayTake(key: string, limit: number): boolean {
    if (this.#isClosed) return true;
    const here = this.#here.count(key);
    const settled = Math.min(here, this.#settled.get(key) ?? 0);
    const free = limit - settled - (this.#elsewhere.get(key) ?? 0);
    const share = Math.max(1, Math.floor(free / (1 + this.#sync.processes)));
    return here - settled < share;
  }

  #changed(key: string): void {
    if (!this.#isClosed) this.#untold.add(key);
    this.#arm();
  }

  #arm(): void {
    if (this.#isClosed || this.#isTelling) return;
    this.#cancel ??= this.#clock.after(this.#announceMs, () => void this.#tell());
  }

  /** Never rejects. */
  async #tell(): Promise<void> {
    this.#cancel = undefined;
    for (const [key, count] of this.#onTheWay) this.#settle(key, count);
    this.#onTheWay = [...this.#untold].map((key): Count => [key, this.#here.count(key)]);
    this.#untold.clear();
    for (const [key, count] of this.#onTheWay) {
      // A lower count applies at once: the others may learn of it at any time.
      if (count < (this.#settled.get(key) ?? 0)) this.#settle(key, count);
    }
    this.#wake();
    if (this.#onTheWay.length === 0) return;
    this.#isTelling = true;
    await this.#sync.announce(...this.#onTheWay);
    this.#isTelling = false;
    this.#arm();
  }

  #settle(key: string, count: number): void {
    if (count === 0) this.#settled.delete(key);
    else this.#settled.set(key, count);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #hear(process: string, [key, count]: Count): void {
    const name = `${process} ${key}`;
    const sum = (this.#elsewhere.get(key) ?? 0) + count - (this.#known.get(name) ?? 0);
    if (count === 0) this.#known.delete(name);
    else this.#known.set(name, count);
    if (sum === 0) this.#elsewhere.delete(key);
    else this.#elsewhere.set(key, sum);
  }
}

const COUNTS: Changes<Count> = {
  parse(value): Count | undefined {
    if (!Array.isArray(value) || value.length !== 2) return undefined;
    const [key, count] = value as unknown[];
    const isKey = typeof key === "string" && key.length <= MAX_KEY_LENGTH;
    const isCount = typeof count === "number" && Number.isSafeInteger(count) && count >= 0 &&
      count <= MAX_COUNT;
    return isKey && isCount ? [key, count] : undefined;
  },
  keyOf: ([key]) => key,
  isGone: ([, count]) => count === 0,
  gone: ([key]) => [key, 0],
};
