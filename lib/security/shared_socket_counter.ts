import { Gossip } from "../gossip/gossip.ts";
import type { Changes } from "../gossip/gossip_message.ts";
import type { ProcessLayer } from "../gossip/process_group.ts";
import { type Clock, type Log, systemClock } from "../scope.ts";
import { LocalSocketCounter, type SocketCounter } from "./socket_counter.ts";

/** How a {@linkcode SharedSocketCounter} talks. */
export interface SharedSocketCounterOptions {
  /** How soon a change is told, together with others, in milliseconds. @default {250} */
  readonly tellMs?: number;
  /** How often a process says that it is there, in milliseconds. @default {2_000} */
  readonly beatMs?: number;
  /** How long a process may be silent before its sockets count no more, in milliseconds. @default {6_000} */
  readonly silentMs?: number;
  /** How long the first socket waits for the others' counts, in milliseconds. @default {500} */
  readonly syncTimeoutMs?: number;
  /** The group in which processes talk; those with the same one count together. @default {"sluice.sockets"} */
  readonly controlGroup?: string;
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** Where the first message is logged that cannot be read. */
  readonly log?: Pick<Log, "warn">;
}

/** How many sockets of a name a process has; 0 where it has none any more. */
type Count = readonly [key: string, count: number];

/** More of one name than any process can have. */
const MAX_COUNT = 10_000_000;

/** Longest name that is taken, in characters. */
const MAX_KEY_LENGTH = 400;

/**
 * Counts open sockets over all processes that share a channel layer.
 *
 * Each process counts its own, and tells the others what changed, many changes at once; so a socket
 * costs no read of anything. What was taken in the last moments (`tellMs`, twice) is not known
 * elsewhere yet: until it is, a process gives away no more than its share of what is free, and lets
 * whoever wants more wait for that long. So _n_ processes that are asked at once let in at most
 * _n_ - 1 more than the limit, once. Where messages take longer than `tellMs` to arrive, up to what
 * comes in meanwhile.
 *
 * The sockets of a process that was killed count for `silentMs` and two beats more (10 s). Where processes
 * cannot reach each other, each counts on with what it knows.
 *
 * *Security*: names go over the layer as they are. Whoever can write to the layer can use up anybody's
 * limit, or hide what another process has.
 *
 * @example
 * ```ts
 * import { MemoryChannelLayer } from "@sluice/sluice/layers";
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
export class SharedSocketCounter implements SocketCounter {
  readonly #tellMs: number;
  readonly #clock: Clock;
  readonly #here = new LocalSocketCounter((key) => this.#changed(key));
  readonly #elsewhere = new Map<string, number>();
  readonly #known = new Map<string, number>();
  readonly #gossip: Gossip<Count>;
  readonly #untold = new Set<string>();
  /** What was told last, and is on its way. */
  #onTheWay: readonly Count[] = [];
  /** What all others count of this process: it was told long enough ago. */
  readonly #settled = new Map<string, number>();
  #waiting: (() => void)[] = [];
  #cancel: (() => void) | undefined;
  #started: Promise<void> | undefined;
  #isReady = false;
  #isTelling = false;
  #isClosed = false;

  constructor(layer: ProcessLayer, options: SharedSocketCounterOptions = {}) {
    this.#tellMs = options.tellMs ?? 250;
    this.#clock = options.clock ?? systemClock;
    this.#gossip = new Gossip<Count>({
      layer,
      clock: this.#clock,
      log: options.log,
      group: options.controlGroup ?? "sluice.sockets",
      type: "sluice.sockets",
      changes: COUNTS,
      beatMs: options.beatMs ?? 2_000,
      silentMs: options.silentMs ?? 6_000,
      goodbyeMs: 0,
      syncTimeoutMs: options.syncTimeoutMs ?? 500,
      state: () => [...this.#here.entries()],
      change: (process, change) => this.#hear(process, change),
    });
  }

  /**
   * Begins to count with the others, and resolves when what they have is known, or does not come. Who
   * does not call it has the first sockets wait for that.
   */
  join(): Promise<void> {
    return this.#started ??= this.#gossip.ready().then(() => {
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

  /** How many there are of a name, here and as far as is known elsewhere. */
  count(key: string): number {
    return this.#here.count(key) + (this.#elsewhere.get(key) ?? 0);
  }

  /** Tells other processes that this one goes, and counts on by itself. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    this.#wake();
    await this.#gossip.close();
  }

  /** Whether a further one stays within what this process may give away before it is heard. */
  #mayTake(key: string, limit: number): boolean {
    if (this.#isClosed) return true;
    const here = this.#here.count(key);
    const settled = Math.min(here, this.#settled.get(key) ?? 0);
    const free = limit - settled - (this.#elsewhere.get(key) ?? 0);
    const share = Math.max(1, Math.floor(free / (1 + this.#gossip.processes)));
    return here - settled < share;
  }

  #changed(key: string): void {
    if (!this.#isClosed) this.#untold.add(key);
    this.#arm();
  }

  #arm(): void {
    if (this.#isClosed || this.#isTelling) return;
    this.#cancel ??= this.#clock.after(this.#tellMs, () => void this.#tell());
  }

  /** Never rejects. */
  async #tell(): Promise<void> {
    this.#cancel = undefined;
    for (const [key, count] of this.#onTheWay) this.#settle(key, count);
    this.#onTheWay = [...this.#untold].map((key): Count => [key, this.#here.count(key)]);
    this.#untold.clear();
    for (const [key, count] of this.#onTheWay) {
      // Fewer than others counted so far: from now on they may count no more than these.
      if (count < (this.#settled.get(key) ?? 0)) this.#settle(key, count);
    }
    this.#wake();
    if (this.#onTheWay.length === 0) return;
    this.#isTelling = true;
    await this.#gossip.tell(...this.#onTheWay);
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
