import { TokenBucket } from "../../time/token_bucket.ts";

/** Largest number of buckets; beyond it, the least recently used is dropped. */
const MAX_BUCKETS = 10_000;

/** The rate limits of messages that several plain requests share, by key. */
export class SharedRates {
  readonly #buckets = new Map<string, TokenBucket>();

  /** Takes one message. Returns false if the limit is exceeded. `now` is in milliseconds. */
  take(
    key: string,
    now: number,
    { messagesPerSecond, messageBurst }: {
      readonly messagesPerSecond: number;
      readonly messageBurst: number;
    },
  ): boolean {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(messagesPerSecond, messageBurst, now);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= MAX_BUCKETS) break;
      this.#buckets.delete(oldest);
    }
    return bucket.take(now);
  }
}
