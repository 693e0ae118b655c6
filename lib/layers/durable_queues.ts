import { clearInterval, setInterval } from "node:timers";
import type { LayerMessage } from "../scope.ts";
import type { Mailbox } from "./channel_layer.ts";
import { DurableQueue, type DurableQueueContext, type QueueSource } from "./durable_queue.ts";
import type { TakeMessage } from "./durable_queue.ts";
import { closedError } from "./layer_error.ts";
import type { LayerCounters } from "./layer_stats.ts";

/** What {@linkcode DurableQueues} works with. */
export interface DurableQueuesContext extends Pick<DurableQueueContext, "clock" | "lookMs"> {
  readonly counters: LayerCounters;
  sourceOf(channel: string): QueueSource;
  /** Reads a frame of a channel, or counts it as malformed. */
  decode(frame: string, channel: string): LayerMessage | undefined;
  /** Called when a channel gets its first reader here: `ring` tells that something is in it. */
  opened?(channel: string, ring: () => void): void;
  /** Called when its last reader left. */
  closed?(channel: string): void;
}

/** The longest that a timer takes, in milliseconds. */
const FOREVER_MS = 2 ** 31 - 1;

/** The durable channels that are read in this process. Readers keep it alive: they wait for others. */
export class DurableQueues {
  readonly #context: DurableQueuesContext;
  readonly #queues = new Map<string, DurableQueue>();
  /** How to let those go who wait. */
  readonly #waiting = new Set<(error: Error) => void>();
  #keepAlive: ReturnType<typeof setInterval> | undefined;

  constructor(context: DurableQueuesContext) {
    this.#context = context;
  }

  /** How many channels are read. */
  get size(): number {
    return this.#queues.size;
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
    const leave = () => {
      signal?.removeEventListener("abort", abort);
      this.#waiting.delete(reject);
      queue.remove(taker);
      this.#closeIfIdle(channel, queue);
    };
    // At once, so that a message that comes now goes to somebody else.
    const abort = () => (leave(), reject(signal?.reason));
    queue.add(taker);
    this.#waiting.add(reject);
    signal?.addEventListener("abort", abort, { once: true });
    return promise.finally(leave);
  }

  /** Says that something is in a channel, or may be in any of them. */
  ring(channel?: string): void {
    if (channel !== undefined) this.#queues.get(channel)?.ring();
    else for (const queue of this.#queues.values()) queue.ring();
  }

  close(): void {
    for (const queue of this.#queues.values()) queue.close();
    for (const reject of this.#waiting) reject(closedError());
    clearInterval(this.#keepAlive);
  }

  #open(channel: string): DurableQueue {
    const known = this.#queues.get(channel);
    if (known !== undefined) return known;
    const { clock, lookMs, sourceOf, decode, opened } = this.#context;
    const queue = new DurableQueue({
      clock,
      lookMs,
      source: sourceOf(channel),
      decode: (frame) => decode(frame, channel),
    });
    this.#queues.set(channel, queue);
    this.#keepAlive ??= setInterval(() => {}, FOREVER_MS);
    opened?.(channel, () => queue.ring());
    return queue;
  }

  #closeIfIdle(channel: string, queue: DurableQueue): void {
    if (queue.hasReader || this.#queues.get(channel) !== queue) return;
    queue.close();
    this.#queues.delete(channel);
    if (this.#queues.size === 0) this.#keepAlive = void clearInterval(this.#keepAlive);
    this.#context.closed?.(channel);
  }
}
