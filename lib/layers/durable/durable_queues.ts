import { clearInterval, setInterval } from "node:timers";
import type { LayerMessage } from "../../core/consumer.ts";
import type { Mailbox } from "../channel_layer.ts";
import type { DurableLease, QueueSource } from "./durable_lease.ts";
import { DurableQueue, type DurableQueueContext } from "./durable_queue.ts";
import { closedError } from "../layer_error.ts";

/** What {@linkcode DurableQueues} is given. */
export interface DurableQueuesContext extends Omit<DurableQueueContext, "source" | "decode"> {
  sourceOf(channel: string): QueueSource;
  /** Decodes a frame of a channel. @throws {Error} The frame is malformed. */
  decode(frame: string, channel: string): LayerMessage;
  /** Called when a channel gets its first local reader. Call `notify` when it has a message. */
  opened?(channel: string, notify: () => void): void;
  /** Called when the last local reader of a channel has left. */
  closed?(channel: string): void;
}

/** How long `close()` waits for leases to be settled, in milliseconds. */
const CLOSE_MS = 5_000;

/** The longest delay of a timer, in milliseconds. */
const FOREVER_MS = 2 ** 31 - 1;

/**
 * The durable channels with readers in this process. Readers keep the process alive. A channel stays
 * open for `pollMs` after its last reader, as most readers return.
 */
export class DurableQueues {
  readonly #context: DurableQueuesContext;
  readonly #queues = new Map<string, DurableQueue>();
  /** Functions that reject the pending reads. */
  readonly #waiting = new Set<(error: Error) => void>();
  /** Closed queues whose leases are not settled yet. */
  readonly #closing = new Set<Promise<void>>();
  #readers = 0;
  #isClosed = false;
  #keepAlive: ReturnType<typeof setInterval> | undefined;

  constructor(context: DurableQueuesContext) {
    this.#context = context;
  }

  /** Attaches a mailbox. Returns a function that detaches it. @throws {TypeError} There is a reader. */
  attach(channel: string, mailbox: Mailbox): () => void {
    if (this.#queues.get(channel)?.hasReader) {
      throw new TypeError(`Cannot attach a mailbox to "${channel}": it already has a reader`);
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

  /** Waits for a message and removes it. @throws {TypeError} There is a mailbox. */
  async receive(channel: string, signal: AbortSignal | undefined): Promise<LayerMessage> {
    while (true) {
      const lease = await this.lease(channel, signal);
      if (await lease.take()) return lease.message;
    }
  }

  /** Waits for a message and leases it. @throws {TypeError} There is a mailbox. */
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
    // Both leave synchronously, so that a message arriving now goes to another reader.
    const take = (lease: DurableLease) => (leave(), resolve(lease));
    const fail = (error: unknown) => (leave(), reject(error));
    const abort = () => fail(signal?.reason);
    this.#waiting.add(fail);
    signal?.addEventListener("abort", abort, { once: true });
    this.#began();
    queue.add(take);
    return await promise;
  }

  /** Signals that `channel` has messages, or that any channel may have some. */
  notify(channel?: string): void {
    if (channel !== undefined) this.#queues.get(channel)?.notify();
    else for (const queue of this.#queues.values()) queue.notify();
  }

  /**
   * Rejects all pending reads at once. Resolves when all leases are acknowledged or released, or after
   * {@linkcode CLOSE_MS}.
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
    opened?.(channel, () => queue.notify());
    return queue;
  }

  #closeLater(channel: string, queue: DurableQueue): void {
    if (queue.hasReader || queue.isClosing) return;
    queue.isClosing = true;
    this.#context.clock.after(this.#context.pollMs, () => {
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
