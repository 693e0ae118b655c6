import { ProcessGroup, type ProcessLayer } from "../cluster/process_group.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import type { LayerMessage } from "../core/consumer.ts";
import { networkOf } from "../core/request_values.ts";
import { RateLimiter, type RateLimiterOptions } from "./rate_limiter.ts";

/** Options of {@linkcode SharedRateLimiter}. */
export interface SharedRateLimiterOptions extends RateLimiterOptions {
  /** The group for messages between processes; those in the same group limit together. */
  readonly controlGroup: string;
  /** How long takes are collected before they are sent, in milliseconds. @default {250} */
  readonly announceMs?: number;
}

/** A number of tokens of a key. */
type Amount = readonly [key: string, amount: number];

type RateMessage =
  /** Tokens that the sender took since its last message. */
  | { readonly kind: "took"; readonly amounts: readonly Amount[] }
  /** Asks for the tokens that the receiver's buckets lack; contains those that the sender's lack. */
  | { readonly kind: "ask"; readonly from: string; readonly amounts: readonly Amount[] }
  /** Tokens that the sender's buckets lack. */
  | { readonly kind: "missing"; readonly amounts: readonly Amount[] };

const TYPE = "sluice.rates";

/** Maximum number of keys in one message. */
const MAX_AMOUNTS = 2_000;

/** Time until a failed message is sent again, in milliseconds. */
const RETRY_MS = 1_000;

/** Maximum length of a key, in characters. */
const MAX_KEY_LENGTH = 200;

/**
 * Token buckets by key, over all processes that share a channel layer: a token that one process takes is
 * taken in all.
 *
 * Each process has its own buckets and decides at once; it sends its takes to the others in batches.
 * Takes of several processes within `announceMs` and the time of a message may exceed the limit, by at most a
 * burst for each process. The excess must be earned back, so the long-term rate is `perMinute` over all
 * processes. A new process asks the others for their buckets. A process that was cut off does so, too,
 * and sends its own takes that have not been earned back since.
 *
 * *Security*: keys are sent over the layer in plain text. A client with write access to the layer can
 * empty the bucket of any key.
 *
 * @example
 * ```ts
 * import { MemoryChannelLayer } from "@sluice/sluice";
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
export class SharedRateLimiter implements Pick<RateLimiter, "take" | "giveBack">, Disposable {
  readonly #buckets: RateLimiter;
  readonly #group: ProcessGroup;
  readonly #clock: Clock;
  readonly #announceMs: number;
  readonly #taken = new Map<string, number>();
  #cancel: (() => void) | undefined;
  #asking: Promise<void> | undefined;
  #isTelling = false;
  #hasJoined = false;
  #isClosed = false;

  /**
   * Creates a limiter, which joins the other processes at first use.
   *
   * @throws {RangeError} A number is not positive.
   */
  constructor(layer: ProcessLayer, options: SharedRateLimiterOptions) {
    this.#buckets = new RateLimiter(options);
    const clock = this.#clock = options.clock ?? systemClock;
    this.#group = new ProcessGroup(layer, { group: options.controlGroup, type: TYPE, clock });
    this.#announceMs = options.announceMs ?? 250;
  }

  /** Takes a token and returns undefined, or returns the time until one is available, in seconds. */
  take(name: string): number | undefined {
    const key = networkOf(name);
    if (!this.#hasJoined) void this.#join();
    const retryAfter = this.#buckets.take(key);
    if (retryAfter === undefined) this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1);
    this.#tellLater(this.#announceMs);
    return retryAfter;
  }

  /** Undoes a take. If other processes already know of it, the token must be earned back there. */
  giveBack(name: string): void {
    const key = networkOf(name);
    this.#buckets.giveBack(key);
    const taken = this.#taken.get(key) ?? 0;
    if (taken > 1) this.#taken.set(key, taken - 1);
    else this.#taken.delete(key);
  }

  /** Stops the exchange with other processes, and limits for this process alone. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#taken.clear();
    this.#group.leave();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
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
    } catch { /* each message tries again; until then the limit is that of this process alone */ }
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
    this.#tellLater(untold.length > 0 ? RETRY_MS : this.#announceMs);
  }

  #afterGap(): void {
    void this.#ask().catch(() => {});
    this.#cancel?.();
    this.#cancel = undefined;
    this.#tellLater(0);
  }

  /** Keeps unsent takes, except those that have been earned back since. */
  #keepUntold(amounts: readonly Amount[]): void {
    if (this.#isClosed) return;
    for (const [key, amount] of amounts) {
      const left = Math.min(amount + (this.#taken.get(key) ?? 0), this.#buckets.missing(key));
      if (left > 0) this.#taken.set(key, left);
      else this.#taken.delete(key);
    }
  }

  /** Asks after messages may have been lost in both directions. Overlapping calls share one request. */
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

  /** Returns the tokens that the buckets of this process lack, without unsent takes. */
  #missing(): Amount[] {
    return this.#buckets.latest(MAX_AMOUNTS)
      .map((key): Amount => [key, this.#buckets.missing(key) - (this.#taken.get(key) ?? 0)])
      .filter(([, amount]) => amount > 0);
  }
}

/** Reads a message of the layer; undefined if it is not a `RateMessage`. Skips invalid amounts. */
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
