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
  /** Tell me what is missing where you are. */
  | { readonly kind: "ask"; readonly from: string }
  /** These are missing in my buckets. */
  | { readonly kind: "missing"; readonly amounts: readonly Amount[] };

const TYPE = "sluice.rates";

/** Most names that are told at once. */
const MAX_AMOUNTS = 2_000;

/** Longest name that is taken, in characters. */
const MAX_KEY_LENGTH = 200;

/**
 * Token buckets by name, over all processes that share a channel layer: what is taken in one is
 * missing in all.
 *
 * Each process has its own buckets and decides at once; it tells the others what it took, many takes
 * at once. What several take within `tellMs` and the time that a message needs is taken all the same,
 * at most a burst by each, and has to be earned back: in the long run it is `perMinute` over all. A
 * process that is new asks the others; so does one that was cut off.
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
  #hasJoined = false;
  #isClosed = false;

  /** @throws {RangeError} A number is not positive. */
  constructor(layer: ProcessLayer, options: SharedRateLimiterOptions) {
    this.#buckets = new RateLimiter(options);
    this.#group = new ProcessGroup(layer, options.controlGroup, TYPE);
    this.#clock = options.clock ?? systemClock;
    this.#tellMs = options.tellMs ?? 250;
  }

  take(key: string): number | undefined {
    if (!this.#hasJoined) void this.#join();
    const retryAfter = this.#buckets.take(key);
    if (retryAfter === undefined) this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1);
    if (!this.#isClosed && this.#taken.size > 0) {
      this.#cancel ??= this.#clock.after(this.#tellMs, () => void this.#tell());
    }
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
    this.#group.leave();
  }

  async #join(): Promise<void> {
    this.#hasJoined = true;
    try {
      await this.#group.join({
        deliver: (message) => this.#hear(message),
        gap: () => void this.#ask().catch(() => {}),
      });
      await this.#ask();
    } catch { /* each telling tries again; until then it limits by itself */ }
  }

  async #tell(): Promise<void> {
    this.#cancel = undefined;
    const amounts = [...this.#taken];
    this.#taken.clear();
    try {
      if (!this.#group.isMember) {
        await this.#group.rejoin();
        await this.#ask();
      }
      for (let at = 0; at < amounts.length; at += MAX_AMOUNTS) {
        await this.#send({ kind: "took", amounts: amounts.slice(at, at + MAX_AMOUNTS) });
      }
    } catch { /* the others are told what is missing when they ask after the gap */ }
  }

  #ask(): Promise<unknown> {
    return this.#send({ kind: "ask", from: this.#group.channel });
  }

  #send(message: RateMessage): Promise<unknown> {
    return this.#group.sendAll(message);
  }

  #hear(message: LayerMessage): boolean {
    const heard = parseRateMessage(message);
    if (heard?.kind === "ask") this.#answer(heard.from);
    else if (heard?.kind === "took") {
      for (const [key, amount] of heard.amounts) this.#buckets.spend(key, amount);
    } else if (heard?.kind === "missing") {
      for (const [key, amount] of heard.amounts) {
        const more = amount - this.#buckets.missing(key);
        if (more > 0) this.#buckets.spend(key, more);
      }
    }
    return true;
  }

  #answer(process: string): void {
    const missing = this.#buckets.latest(MAX_AMOUNTS)
      .map((key): Amount => [key, this.#buckets.missing(key)])
      .filter(([, amount]) => amount > 0);
    const message: RateMessage = { kind: "missing", amounts: missing };
    if (missing.length > 0) this.#group.sendTo(process, message);
  }
}

/** Reads a message of the layer; nothing, where it is none of these. */
function parseRateMessage({ type, data }: LayerMessage): RateMessage | undefined {
  if (type !== TYPE || typeof data !== "object" || data === null) return undefined;
  const { kind, from, amounts } = data as Record<string, unknown>;
  const hasAmounts = Array.isArray(amounts) && amounts.every(isAmount);
  const isValid = (kind === "ask" && typeof from === "string") ||
    ((kind === "took" || kind === "missing") && hasAmounts);
  return isValid ? data as RateMessage : undefined;
}

function isAmount(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [key, amount] = value as unknown[];
  return typeof key === "string" && key.length <= MAX_KEY_LENGTH &&
    Number.isFinite(amount) && Number(amount) > 0;
}
