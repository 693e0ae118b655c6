import type { Clock } from "../scope.ts";
import type { QueueItem, QueueSource } from "./durable_queue.ts";
import type { LayerCounters } from "./layer_stats.ts";
import type { RedisKeys } from "./redis_keys.ts";
import type { RedisNodes } from "./redis_nodes.ts";
import { RedisRedirection, unavailable } from "./redis_refusal.ts";

/** What {@linkcode RedisDurable} works with. */
export interface RedisDurableContext {
  readonly keys: RedisKeys;
  readonly counters: LayerCounters;
  readonly nodes: RedisNodes;
  readonly clock: Clock;
}

/** The durable channels in Redis: a list each, and a bell that says that something is in it. */
export class RedisDurable {
  readonly #context: RedisDurableContext;

  constructor(context: RedisDurableContext) {
    this.#context = context;
  }

  /** Adds a frame to a channel. Returns false: it is full. @throws {LayerError} `UNAVAILABLE`. */
  async push(
    channel: string,
    frame: string,
    limits: { readonly capacity: number; readonly expiryMs: number },
  ): Promise<boolean> {
    const { keys, counters, nodes, clock } = this.#context;
    const queue = keys.queue(channel);
    const startedAt = clock.now();
    const { capacity, expiryMs } = limits;
    const outcome = await nodes.run(queue, async (connection) => {
      const deadline = `${connection.deadline(startedAt)}`;
      const args = [deadline, `${capacity}`, `${expiryMs}`, frame, keys.bell(channel)];
      const reply = await connection.script("push", [queue], ...args);
      const [outcome, expired] = reply as readonly [number, number];
      counters.dropped.expired += expired;
      if (outcome === -3) throw new RedisRedirection("later");
      return outcome;
    });
    if (outcome === -2) throw unavailable();
    if (outcome === 1) counters.queued++;
    else counters.dropped.full++;
    return outcome === 1;
  }

  /** Returns where the messages of a channel are. */
  sourceOf(channel: string): QueueSource {
    const { keys, nodes } = this.#context;
    const queue = keys.queue(channel);
    return {
      fetch: (count) => this.#fetch(queue, count),
      putBack: async (items) => {
        const kept = items.map((item) => String(item.kept));
        const bell = keys.bell(channel);
        await nodes.run(queue, (node) => node.script("putBack", [queue], bell, ...kept));
      },
    };
  }

  async #fetch(queue: string, count: number): Promise<QueueItem[]> {
    const { nodes } = this.#context;
    const reply = await nodes.run(queue, (node) => node.script("pop", [queue], `${count}`));
    const [expired, ...items] = reply as readonly [number, ...string[]];
    this.#context.counters.dropped.expired += expired;
    return items.map((kept) => ({ kept, frame: kept.slice(kept.indexOf(":") + 1) }));
  }
}
