import type { Clock } from "../../core/clock.ts";
import { CloseCode } from "../../protocol/mod.ts";
import { TokenBucket } from "../../time/token_bucket.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import { MAX_BYTES_PER_UNIT, sizeOf } from "./inbox.ts";
import type { SerialQueue } from "./serial_queue.ts";

/** What the client messages of all connections share. */
export interface ClientMessagesContext {
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  readonly sharedRates: SharedRates;
}

/** The connection that receives the messages of a client. */
export interface ClientMessagesOwner {
  sendFrame(frame: string): boolean;
  end(code: number, reason: string): void;
  /** Called when a method of the consumer throws. */
  failed(error: unknown): void;
}

/** Keep-alives answered per message of the client's rate limit; more count as messages. */
const PINGS_PER_MESSAGE = 10;

/** The messages of one client, within its limits of size and rate. */
export class ClientMessages {
  /** Time of the last message, in milliseconds since the epoch. */
  lastReceivedAt: number;
  readonly #context: ClientMessagesContext;
  readonly #owner: ClientMessagesOwner;
  #messages: TokenBucket | undefined;
  #pings: TokenBucket | undefined;

  constructor(context: ClientMessagesContext, owner: ClientMessagesOwner, now: number) {
    this.#context = context;
    this.#owner = owner;
    this.lastReceivedAt = now;
  }

  /** Passes a message to the consumer, or ends the connection if it exceeds a limit. */
  receive(data: string | Uint8Array, queue: SerialQueue): void {
    const { limits: { maxMessageBytes }, clock } = this.#context;
    if (isLargerThan(maxMessageBytes, data)) {
      const reason = `message larger than ${maxMessageBytes} bytes`;
      return this.#owner.end(CloseCode.messageTooLarge, reason);
    }
    if (typeof data === "string" && this.#answerPing(data, queue)) return;
    this.lastReceivedAt = clock.now();
    if (!this.takeMessage()) return this.#limit(data, queue);
    if (queue.receive(data)) return;
    this.#owner.end(CloseCode.tooFast, "messages arrive faster than they are handled");
  }

  /** Takes one message from the rate limit. Returns false if the limit is exceeded. */
  takeMessage(sharedBy?: string): boolean {
    const { clock, limits, sharedRates } = this.#context;
    const now = clock.elapsed();
    if (sharedBy !== undefined) return sharedRates.take(sharedBy, now, limits);
    const { messagesPerSecond, messageBurst } = limits;
    this.#messages ??= new TokenBucket(messagesPerSecond, messageBurst, now);
    return this.#messages.take(now);
  }

  /** Takes one keep-alive from its own limit. Returns false if that is exceeded. */
  takePing(): boolean {
    const { clock, limits: { messagesPerSecond, messageBurst } } = this.#context;
    const now = clock.elapsed();
    const perSecond = messagesPerSecond * PINGS_PER_MESSAGE;
    this.#pings ??= new TokenBucket(perSecond, messageBurst * PINGS_PER_MESSAGE, now);
    return this.#pings.take(now);
  }

  /** Answers a keep-alive at once. Returns false for other messages and for too many keep-alives. */
  #answerPing(data: string, { consumer }: SerialQueue): boolean {
    const answer = consumer!.answerPing?.(data);
    if (answer === undefined || !this.takePing()) return false;
    if (answer !== "") this.#owner.sendFrame(answer);
    return true;
  }

  #limit(data: string | Uint8Array, { consumer }: SerialQueue): void {
    if (consumer!.onRateLimited === undefined) {
      return this.#owner.end(CloseCode.tooFast, "sent too fast");
    }
    try {
      consumer!.onRateLimited(data);
    } catch (error) {
      this.#owner.failed(error);
    }
  }
}

/** Returns whether a message exceeds `bytes` on the wire. Most messages need no exact count. */
function isLargerThan(bytes: number, data: string | Uint8Array): boolean {
  return data.length * MAX_BYTES_PER_UNIT > bytes && sizeOf(data) > bytes;
}

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
