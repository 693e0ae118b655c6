import type { Clock } from "../../core/clock.ts";
import type { LeaseRequest, QueueItem, QueueSource } from "../durable/durable_lease.ts";
import type { LayerCounters } from "../layer_stats.ts";
import type { RedisKeys } from "./redis_keys.ts";
import type { ClusterClient } from "../../redis/cluster_client.ts";
import { unavailable } from "../../redis/errors.ts";

/** What {@linkcode RedisDurable} is given. */
export interface RedisDurableContext {
  readonly keys: RedisKeys;
  readonly counters: LayerCounters;
  readonly nodes: ClusterClient;
  readonly clock: Clock;
  readonly expiryMs: number;
  readonly leaseMs: number;
}

/** The durable channels in Redis: one hash each, and a pub/sub notification for new messages. */
export class RedisDurable {
  readonly #context: RedisDurableContext;

  constructor(context: RedisDurableContext) {
    this.#context = context;
  }

  /** Adds a frame to a channel. Returns false if it is full. @throws {LayerError} `UNAVAILABLE`. */
  async push(channel: string, frame: string, capacity: number): Promise<boolean> {
    const { keys, counters, nodes, clock, expiryMs } = this.#context;
    const queue = keys.queue(channel);
    const startedAt = clock.elapsed();
    const reply = await nodes.run(queue, (connection) => {
      const deadline = `${connection.deadline(startedAt)}`;
      const args = [deadline, `${capacity}`, `${expiryMs}`, frame, keys.wakeup(channel)];
      return connection.script("push", [queue], ...args);
    });
    const [outcome, expired] = reply as readonly [number, number];
    counters.dropped.expired += expired;
    if (outcome === -2) throw unavailable();
    if (outcome === 1) counters.queued++;
    else counters.dropped.full++;
    return outcome === 1;
  }

  /** Returns the message store of a channel. */
  sourceOf(channel: string): QueueSource {
    const { keys, nodes, leaseMs } = this.#context;
    const [queue, bell] = [keys.queue(channel), keys.wakeup(channel)];
    const settle = async (how: string, token: string, number: number, attempts = 0) => {
      const args = [how, token, `${number}`, `${attempts}`, `${leaseMs}`, bell];
      return await nodes.run(queue, (node) => node.script("settle", [queue], ...args)) === 1;
    };
    return {
      lease: (request) => this.#lease(queue, request),
      ack: (token, number) => settle("ack", token, number),
      renew: (token, number, attempts) => settle("renew", token, number, attempts),
      release: (token, number, attempts) => settle("release", token, number, attempts),
    };
  }

  async #lease(queue: string, { token, count, isAgain }: LeaseRequest): Promise<QueueItem[]> {
    const { nodes, clock, leaseMs, expiryMs, counters } = this.#context;
    const startedAt = clock.elapsed();
    const reply = await nodes.run(queue, (connection) => {
      const deadline = `${connection.deadline(startedAt)}`;
      const args = [token, `${count}`, isAgain ? "1" : "0", `${leaseMs}`, `${expiryMs}`];
      return connection.script("lease", [queue], deadline, ...args);
    });
    const [expired, ...found] = reply as readonly [
      number,
      ...(readonly [string, string, string])[],
    ];
    if (expired < 0) throw unavailable();
    counters.dropped.expired += expired;
    return found.map(([number, attempt, kept]) => ({
      number: Number(number),
      attempt: Number(attempt),
      frame: kept.slice(kept.indexOf(":") + 1),
    }));
  }
}
