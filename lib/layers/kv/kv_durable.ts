import type { QueueSource } from "../durable/durable_lease.ts";
import { KvQueue, type KvQueueContext } from "./kv_queue.ts";

/** The durable channels in Deno KV. */
export class KvDurable {
  readonly #context: KvQueueContext;
  /** The last pending push of each channel: pushes to one channel run one after the other. */
  readonly #adding = new Map<string, Promise<unknown>>();

  constructor(context: KvQueueContext) {
    this.#context = context;
  }

  /** Adds a frame to a channel. Returns false if it is full. @throws {LayerError} `UNAVAILABLE`. */
  push(channel: string, frame: string, capacity: number): Promise<boolean> {
    const before = this.#adding.get(channel) ?? Promise.resolve();
    const queue = new KvQueue(this.#context, channel);
    const pushed = before.then(() => queue.push(frame, capacity));
    const settled = pushed.catch(() => {}).then(() => {
      if (this.#adding.get(channel) === settled) this.#adding.delete(channel);
    });
    this.#adding.set(channel, settled);
    return pushed;
  }

  /** Returns the message store of a channel. */
  sourceOf(channel: string): QueueSource {
    return new KvQueue(this.#context, channel);
  }
}
