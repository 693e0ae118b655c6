import type { QueueItem, QueueSource } from "./durable_queue.ts";
import type { LayerCounters } from "./layer_stats.ts";
import { type RedisConnection, unavailable } from "./redis_connection.ts";
import type { RedisKeys } from "./redis_keys.ts";

/** What {@linkcode RedisDurable} works with. */
export interface RedisDurableContext {
  readonly keys: RedisKeys;
  readonly counters: LayerCounters;
  connection(): RedisConnection | undefined;
}

/** The durable channels in Redis: a list each, and a bell that says that something is in it. */
export class RedisDurable {
  readonly #context: RedisDurableContext;

  constructor(context: RedisDurableContext) {
    this.#context = context;
  }

  /** Adds a frame to a channel. Returns false: it is full. @throws {LayerError} `UNAVAILABLE`. */
  async push(
    connection: RedisConnection,
    channel: string,
    frame: string,
    limits: { readonly capacity: number; readonly expiryMs: number },
  ): Promise<boolean> {
    const { keys, counters } = this.#context;
    const reply = await connection.script(
      "push",
      [keys.queue(channel), keys.bell(channel)],
      `${connection.deadline}`,
      `${limits.capacity}`,
      `${limits.expiryMs}`,
      frame,
    );
    const [outcome, expired] = reply as [number, number];
    counters.dropped.expired += expired;
    if (outcome === -2) throw unavailable();
    if (outcome === 1) counters.queued++;
    else counters.dropped.full++;
    return outcome === 1;
  }

  /** Returns where the messages of a channel are. */
  sourceOf(channel: string): QueueSource {
    const { keys } = this.#context;
    const queue = keys.queue(channel);
    return {
      fetch: (count) => this.#fetch(queue, count),
      putBack: async (items) => {
        const kept = items.map((item) => String(item.kept));
        await this.#connection().script("putBack", [queue, keys.bell(channel)], ...kept);
      },
    };
  }

  async #fetch(queue: string, count: number): Promise<QueueItem[]> {
    const reply = await this.#connection().script("pop", [queue], `${count}`);
    const [expired, ...items] = reply as [number, ...string[]];
    this.#context.counters.dropped.expired += expired;
    return items.map((kept) => ({ kept, frame: kept.slice(kept.indexOf(":") + 1) }));
  }

  #connection(): RedisConnection {
    const connection = this.#context.connection();
    if (connection === undefined) throw unavailable();
    return connection;
  }
}
