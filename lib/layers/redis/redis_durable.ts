import type { Clock } from "../../core/clock.ts";
import type { LeaseRequest, QueueItem, QueueSource } from "../durable/durable_lease.ts";
import type { LayerCounters } from "../layer_stats.ts";
import { REDIS_SCRIPTS } from "./redis_scripts.ts";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import type { RedisKeys } from "./redis_keys.ts";
import { unavailable } from "../../redis/errors.ts";

/** Runs `work` on the node that has `name`. @throws {LayerError} `UNAVAILABLE`, or another. */
export type RunOnRedis = <T>(
  name: string,
  work: (connection: RedisConnection) => Promise<T>,
) => Promise<T>;

/** What {@linkcode RedisDurable} is given. */
export interface RedisDurableContext {
  readonly keys: RedisKeys;
  readonly counters: LayerCounters;
  readonly run: RunOnRedis;
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
    const { keys, counters, run, clock, expiryMs } = this.#context;
    const queue = keys.queue(channel);
    const startedAt = clock.elapsed();
    const outcome = await run(queue, async (connection) => {
      const deadline = `${connection.deadline(startedAt)}`;
      const args = [deadline, `${capacity}`, `${expiryMs}`, frame, keys.wakeup(channel)];
      const reply = await connection.script(REDIS_SCRIPTS.push, [queue], ...args);
      const [outcome, expired] = reply as readonly [number, number];
      counters.dropped.expired += expired;
      if (outcome === -2) throw unavailable();
      return outcome;
    });
    if (outcome === 1) counters.queued++;
    else counters.dropped.full++;
    return outcome === 1;
  }

  /** Returns the message store of a channel. */
  sourceOf(channel: string): QueueSource {
    const { keys, run, leaseMs } = this.#context;
    const [queue, wakeup] = [keys.queue(channel), keys.wakeup(channel)];
    const settle = async (how: string, token: string, number: number, attempts = 0) => {
      const args = [how, token, `${number}`, `${attempts}`, `${leaseMs}`, wakeup];
      return await run(queue, (node) => node.script(REDIS_SCRIPTS.settle, [queue], ...args)) === 1;
    };
    return {
      lease: (request) => this.#lease(queue, request),
      ack: (token, number) => settle("ack", token, number),
      renew: (token, number, attempts) => settle("renew", token, number, attempts),
      release: (token, number, attempts) => settle("release", token, number, attempts),
    };
  }

  async #lease(queue: string, { token, count, isAgain }: LeaseRequest): Promise<QueueItem[]> {
    const { run, clock, leaseMs, expiryMs, counters } = this.#context;
    const startedAt = clock.elapsed();
    const [expired, ...found] = await run(queue, async (connection) => {
      const deadline = `${connection.deadline(startedAt)}`;
      const args = [token, `${count}`, isAgain ? "1" : "0", `${leaseMs}`, `${expiryMs}`];
      const reply = await connection.script(REDIS_SCRIPTS.lease, [queue], deadline, ...args);
      const leased = reply as readonly [number, ...(readonly [string, string, string])[]];
      if (leased[0] < 0) throw unavailable();
      return leased;
    });
    counters.dropped.expired += expired;
    return found.map(([number, attempt, kept]) => ({
      number: Number(number),
      attempt: Number(attempt),
      frame: kept.slice(kept.indexOf(":") + 1),
    }));
  }
}
