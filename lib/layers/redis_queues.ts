import type { LayerMessage } from "../scope.ts";
import type { Mailbox } from "./channel_layer.ts";
import { closedError } from "./layer_error.ts";
import type { LayerCounters } from "./layer_stats.ts";
import { RedisQueue, type RedisQueueContext, type TakeMessage } from "./redis_queue.ts";
import type { RedisSubscriptions } from "./redis_subscriptions.ts";

/** What {@linkcode RedisQueues} works with. */
export interface RedisQueuesContext extends Pick<RedisQueueContext, "clock" | "connection"> {
  readonly counters: LayerCounters;
  readonly subscriptions: RedisSubscriptions;
  queueOf(channel: string): string;
  bellOf(channel: string): string;
  /** Reads an item of a channel, or counts it as malformed. */
  decode(frame: string, channel: string): LayerMessage | undefined;
}

/** The durable channels that are read in this process. */
export class RedisQueues {
  readonly #context: RedisQueuesContext;
  readonly #queues = new Map<string, RedisQueue>();
  /** How to let those go who wait. */
  readonly #waiting = new Set<(error: Error) => void>();

  constructor(context: RedisQueuesContext) {
    this.#context = context;
  }

  /** Hands everything to a mailbox. Returns how to leave. @throws {TypeError} There is a reader. */
  attach(channel: string, mailbox: Mailbox): () => void {
    if (this.#queues.get(channel)?.hasReader) {
      throw new TypeError(`Cannot attach a mailbox to "${channel}": it has a reader`);
    }
    const queue = this.#open(channel);
    const { counters } = this.#context;
    queue.mailbox = (message) => {
      if (mailbox.deliver(message)) counters.delivered++;
      else counters.dropped.full++;
    };
    let isAttached = true;
    return () => {
      if (!isAttached) return;
      isAttached = false;
      queue.mailbox = undefined;
      this.#closeIfIdle(channel, queue);
    };
  }

  /** Waits for a message. @throws {TypeError} There is a mailbox. */
  receive(channel: string, signal: AbortSignal | undefined): Promise<LayerMessage> {
    signal?.throwIfAborted();
    if (this.#queues.get(channel)?.hasMailbox) {
      throw new TypeError(`Cannot receive from "${channel}": it has a mailbox`);
    }
    const queue = this.#open(channel);
    const { promise, resolve, reject } = Promise.withResolvers<LayerMessage>();
    const taker: TakeMessage = (message) => {
      this.#context.counters.delivered++;
      resolve(message);
    };
    const abort = () => reject(signal?.reason);
    queue.add(taker);
    this.#waiting.add(reject);
    signal?.addEventListener("abort", abort, { once: true });
    return promise.finally(() => {
      signal?.removeEventListener("abort", abort);
      this.#waiting.delete(reject);
      queue.remove(taker);
      this.#closeIfIdle(channel, queue);
    });
  }

  /** Looks into all of them: after a gap. */
  ring(): void {
    for (const queue of this.#queues.values()) queue.ring();
  }

  close(): void {
    for (const queue of this.#queues.values()) queue.close();
    for (const reject of this.#waiting) reject(closedError());
  }

  #open(channel: string): RedisQueue {
    const known = this.#queues.get(channel);
    if (known !== undefined) return known;
    const { counters, subscriptions, queueOf, bellOf, decode, ...shared } = this.#context;
    const bell = bellOf(channel);
    const queue = new RedisQueue({
      ...shared,
      bell,
      queue: queueOf(channel),
      decode: (frame) => decode(frame, channel),
      expired: (count) => counters.dropped.expired += count,
    });
    this.#queues.set(channel, queue);
    subscriptions.add(bell, () => queue.ring());
    // A bell that rang before it was heard is made up for.
    subscriptions.noted(bell).then(() => queue.ring(), () => {});
    return queue;
  }

  #closeIfIdle(channel: string, queue: RedisQueue): void {
    if (queue.hasReader || this.#queues.get(channel) !== queue) return;
    queue.close();
    this.#queues.delete(channel);
    this.#context.subscriptions.remove(this.#context.bellOf(channel));
  }
}
