import { ProcessGroup, type ProcessLayer } from "../gossip/process_group.ts";
import { type Clock, type LayerMessage, systemClock } from "../scope.ts";
import { type Limiter, RateLimiter, type RateLimiterOptions } from "./rate_limiter.ts";

/** How a {@linkcode SharedRateLimiter} limits and talks. */
export interface SharedRateLimiterOptions extends RateLimiterOptions {
  /** The group in which processes talk; those with the same one limit together. */
  readonly controlGroup: string;
  /** How soon what was taken is told, together with more, in milliseconds. @default {250} */
  readonly tellMs?: number;
}

/** How many of a name. */
type Amount = readonly [key: string, amount: number];

type RateMessage =
  /** I took these since I told last. */
  | { readonly kind: "took"; readonly amounts: readonly Amount[] }
  /** Tell me what is missing where you are; these are missing where I am. */
  | { readonly kind: "ask"; readonly from: string; readonly amounts: readonly Amount[] }
  /** These are missing in my buckets. */
  | { readonly kind: "missing"; readonly amounts: readonly Amount[] };

const TYPE = "sluice.rates";

/** Most names that are told at once. */
const MAX_AMOUNTS = 2_000;

/** How soon what could not be told is told again, in milliseconds. */
const RETRY_MS = 1_000;

/** Longest name that is taken, in characters. */
const MAX_KEY_LENGTH = 200;

/**
 * Token buckets by name, over all processes that share a channel layer: what is taken in one is
 * missing in all.
 *
 * Each process has its own buckets and decides at once; it tells the others what it took, many takes
 * at once. What several take within `tellMs` and the time that a message needs is taken all the same,
 * at most a burst by each, and has to be earned back: in the long run it is `perMinute` over all. A
 * process that is new asks the others. One that was cut off asks them too, and tells what was taken
 * there meanwhile and has not been earned back.
 *
 * *Security*: names go over the layer as they are. Whoever can write to the layer can use up anybody's
 * bucket.
 *
 * @example
 * ```ts
 * import { MemoryChannelLayer } from "@sluice/sluice/layers";
 * import { SharedRateLimiter } from "@sluice/sluice/security";
 * import assert from "node:assert/strict";
 *
 * const layer = new MemoryChannelLayer(); // one that spans processes, elsewhere
 * const limiter = new SharedRateLimiter(layer, { perMinute: 60, burst: 1, controlGroup: "logins" });
 * assert.equal(limiter.take("192.0.2.1"), undefined);
 * assert.equal(Math.ceil(limiter.take("192.0.2.1")!), 1);
 * limiter.close();
 * ```
 */
export class SharedRateLimiter implements Limiter {
  readonly #buckets: RateLimiter;
  readonly #group: ProcessGroup;
  readonly #clock: Clock;
  readonly #tellMs: number;
  readonly #taken = new Map<string, number>();
  #cancel: (() => void) | undefined;
  #asking: Promise<void> | undefined;
  #isTelling = false;
  #hasJoined = false;
  #isClosed = false;

  /** @throws {RangeError} A number is not positive. */
  constructor(layer: ProcessLayer, options: SharedRateLimiterOptions) {
    this.#buckets = new RateLimiter(options);
    const clock = this.#clock = options.clock ?? systemClock;
    this.#group = new ProcessGroup(layer, { group: options.controlGroup, type: TYPE, clock });
    this.#tellMs = options.tellMs ?? 250;
  }

  take(key: string): number | undefined {
    if (!this.#hasJoined) void this.#join();
    const retryAfter = this.#buckets.take(key);
    if (retryAfter === undefined) this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1);
    this.#tellLater(this.#tellMs);
    return retryAfter;
  }

  /** Undoes a take. What the other processes were told already has to be earned back there. */
  giveBack(key: string): void {
    this.#buckets.giveBack(key);
    const taken = this.#taken.get(key) ?? 0;
    if (taken > 1) this.#taken.set(key, taken - 1);
    else this.#taken.delete(key);
  }

  /** Talks no more, and limits on by itself. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#taken.clear();
    this.#group.leave();
  }

  #tellLater(ms: number): void {
    if (this.#isClosed || this.#isTelling || this.#taken.size === 0) return;
    this.#cancel ??= this.#clock.after(ms, () => void this.#tell());
  }

  /** Never rejects. */
  async #join(): Promise<void> {
    this.#hasJoined = true;
    try {
      await this.#group.join({
        deliver: (message) => this.#hear(message),
        gap: () => this.#afterGap(),
      });
      await this.#ask();
    } catch { /* each telling tries again; until then it limits by itself */ }
  }

  /** Never rejects. */
  async #tell(): Promise<void> {
    this.#cancel = undefined;
    this.#isTelling = true;
    let untold = [...this.#taken];
    this.#taken.clear();
    try {
      if (!this.#group.isMember) {
        await this.#group.rejoin();
        await this.#ask();
      }
      while (untold.length > 0) {
        await this.#send({ kind: "took", amounts: untold.slice(0, MAX_AMOUNTS) });
        untold = untold.slice(MAX_AMOUNTS);
      }
    } catch {
      this.#keepUntold(untold);
    }
    this.#isTelling = false;
    this.#tellLater(untold.length > 0 ? RETRY_MS : this.#tellMs);
  }

  #afterGap(): void {
    void this.#ask().catch(() => {});
    this.#cancel?.();
    this.#cancel = undefined;
    this.#tellLater(0);
  }

  /** Keeps what could not be told, without what has been earned back since. */
  #keepUntold(amounts: readonly Amount[]): void {
    if (this.#isClosed) return;
    for (const [key, amount] of amounts) {
      const left = Math.min(amount + (this.#taken.get(key) ?? 0), this.#buckets.missing(key));
      if (left > 0) this.#taken.set(key, left);
      else this.#taken.delete(key);
    }
  }

  /** After messages may have been missed, in both directions. Calls that overlap share one question. */
  #ask(): Promise<void> {
    const { channel: from } = this.#group;
    return this.#asking ??= this.#send({ kind: "ask", from, amounts: this.#missing() })
      .then(() => {}).finally(() => this.#asking = undefined);
  }

  #send(message: RateMessage): Promise<unknown> {
    return this.#group.sendAll(message);
  }

  #hear(message: LayerMessage): boolean {
    const heard = parseRateMessage(message);
    if (heard === undefined) return true;
    for (const [key, amount] of heard.amounts) {
      const known = heard.kind === "took" ? 0 : this.#buckets.missing(key);
      if (amount > known) this.#buckets.spend(key, amount - known);
    }
    if (heard.kind === "ask") this.#answer(heard.from);
    return true;
  }

  #answer(process: string): void {
    const missing = this.#missing();
    const message: RateMessage = { kind: "missing", amounts: missing };
    if (missing.length > 0) void this.#group.sendTo(process, message).catch(() => {});
  }

  /** What is missing in the buckets here, besides what the others will be told of anyway. */
  #missing(): Amount[] {
    return this.#buckets.latest(MAX_AMOUNTS)
      .map((key): Amount => [key, this.#buckets.missing(key) - (this.#taken.get(key) ?? 0)])
      .filter(([, amount]) => amount > 0);
  }
}

/** Reads a message of the layer; undefined if it is none of these. Leaves out amounts that are none. */
function parseRateMessage({ type, data }: LayerMessage): RateMessage | undefined {
  if (type !== TYPE || typeof data !== "object" || data === null) return undefined;
  const { kind, from, amounts = [] } = data as Record<string, unknown>;
  if (!Array.isArray(amounts)) return undefined;
  const valid = amounts.filter(isAmount);
  if (kind === "ask" && typeof from === "string") return { kind, from, amounts: valid };
  return kind === "took" || kind === "missing" ? { kind, amounts: valid } : undefined;
}

function isAmount(value: unknown): value is Amount {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [key, amount] = value as unknown[];
  return typeof key === "string" && key.length <= MAX_KEY_LENGTH &&
    Number.isFinite(amount) && Number(amount) > 0;
}
