import { clearInterval, setInterval } from "node:timers";
import type { LayerMessage } from "../scope.ts";
import type { Mailbox } from "./channel_layer.ts";
import type { DurableLease, QueueSource } from "./durable_lease.ts";
import { DurableQueue, type DurableQueueContext } from "./durable_queue.ts";
import { closedError } from "./layer_error.ts";

/** What {@linkcode DurableQueues} works with. */
export interface DurableQueuesContext extends Omit<DurableQueueContext, "source" | "decode"> {
  sourceOf(channel: string): QueueSource;
  /** Reads a frame of a channel. @throws {Error} It is malformed. */
  decode(frame: string, channel: string): LayerMessage;
  /** Called when a channel gets its first reader here: `ring` says that a message is in it. */
  opened?(channel: string, ring: () => void): void;
  /** Called when its last reader left. */
  closed?(channel: string): void;
}

/** How long messages may take to be settled at the end, in milliseconds. */
const CLOSE_MS = 5_000;

/** The longest that a timer takes, in milliseconds. */
const FOREVER_MS = 2 ** 31 - 1;

/**
 * The durable channels that are read in this process. Readers keep the process alive. A channel stays
 * open for a moment after its last reader, as most readers come back.
 */
export class DurableQueues {
  readonly #context: DurableQueuesContext;
  readonly #queues = new Map<string, DurableQueue>();
  /** How to reject those that wait. */
  readonly #waiting = new Set<(error: Error) => void>();
  /** Queues that are closed, until their messages are settled. */
  readonly #closing = new Set<Promise<void>>();
  #readers = 0;
  #isClosed = false;
  #keepAlive: ReturnType<typeof setInterval> | undefined;

  constructor(context: DurableQueuesContext) {
    this.#context = context;
  }

  /** Hands everything to a mailbox. Returns how to leave. @throws {TypeError} There is a reader. */
  attach(channel: string, mailbox: Mailbox): () => void {
    if (this.#queues.get(channel)?.hasReader) {
      throw new TypeError(`Cannot attach a mailbox to "${channel}": it has a reader`);
    }
    const queue = this.#open(channel);
    queue.attach(mailbox);
    this.#began();
    let isAttached = true;
    return () => {
      if (!isAttached) return;
      isAttached = false;
      this.#ended();
      this.#close(channel, queue);
    };
  }

  /** Waits for a message, and removes it. @throws {TypeError} There is a mailbox. */
  async receive(channel: string, signal: AbortSignal | undefined): Promise<LayerMessage> {
    while (true) {
      const lease = await this.lease(channel, signal);
      if (await lease.take()) return lease.message;
    }
  }

  /** Waits for a message, and leases it. @throws {TypeError} There is a mailbox. */
  async lease(channel: string, signal: AbortSignal | undefined): Promise<DurableLease> {
    signal?.throwIfAborted();
    if (this.#queues.get(channel)?.hasMailbox) {
      throw new TypeError(`Cannot receive from "${channel}": it has a mailbox`);
    }
    const queue = this.#open(channel);
    const { promise, resolve, reject } = Promise.withResolvers<DurableLease>();
    const leave = () => {
      signal?.removeEventListener("abort", abort);
      this.#waiting.delete(fail);
      queue.remove(take);
      this.#ended();
      this.#closeLater(channel, queue);
    };
    // Both leave at once, so that a message that arrives now goes to another reader.
    const take = (lease: DurableLease) => (leave(), resolve(lease));
    const fail = (error: unknown) => (leave(), reject(error));
    const abort = () => fail(signal?.reason);
    this.#waiting.add(fail);
    signal?.addEventListener("abort", abort, { once: true });
    this.#began();
    queue.add(take);
    return await promise;
  }

  /** Says that messages are in a channel, or may be in any of them. */
  ring(channel?: string): void {
    if (channel !== undefined) this.#queues.get(channel)?.ring();
    else for (const queue of this.#queues.values()) queue.ring();
  }

  /**
   * Rejects all that wait, at once. Resolves when all messages are acknowledged or given back, as far as
   * that can be done within {@linkcode CLOSE_MS}.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const reject of [...this.#waiting]) reject(closedError());
    for (const [channel, queue] of [...this.#queues]) this.#close(channel, queue);
    this.#keepAlive = void clearInterval(this.#keepAlive);
    const late = Promise.withResolvers<void>();
    const cancel = this.#context.clock.after(CLOSE_MS, () => late.resolve());
    await Promise.race([Promise.all(this.#closing), late.promise]);
    cancel();
  }

  #began(): void {
    this.#readers++;
    this.#keepAlive ??= setInterval(() => {}, FOREVER_MS);
  }

  #ended(): void {
    if (--this.#readers === 0) this.#keepAlive = void clearInterval(this.#keepAlive);
  }

  #open(channel: string): DurableQueue {
    if (this.#isClosed) throw closedError();
    const known = this.#queues.get(channel);
    if (known !== undefined) return known;
    const { sourceOf, decode, opened, ...context } = this.#context;
    const queue = new DurableQueue({
      ...context,
      source: sourceOf(channel),
      decode: (frame) => decode(frame, channel),
    });
    this.#queues.set(channel, queue);
    opened?.(channel, () => queue.ring());
    return queue;
  }

  #closeLater(channel: string, queue: DurableQueue): void {
    if (queue.hasReader || queue.isClosing) return;
    queue.isClosing = true;
    this.#context.clock.after(this.#context.lookMs, () => {
      queue.isClosing = false;
      if (!queue.hasReader) this.#close(channel, queue);
    });
  }

  #close(channel: string, queue: DurableQueue): void {
    if (this.#queues.get(channel) !== queue) return;
    this.#queues.delete(channel);
    const closing = queue.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    this.#context.closed?.(channel);
  }
}
