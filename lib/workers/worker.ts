import type { ChannelLayer } from "../layers/mod.ts";
import { type Clock, type Log, systemClock } from "../scope.ts";
import { ChannelListener } from "./channel_listener.ts";
import { type DeadLetter, deadLetterChannel } from "./dead_letter.ts";
import type { RetryOptions } from "./retry.ts";
import type { ChannelWorker, WorkerScope } from "./worker_consumer.ts";

/** A class of workers: one is made for each channel. */
export interface WorkerClass {
  new (scope: WorkerScope): ChannelWorker;
}

/** Options of {@linkcode Worker}. */
export interface WorkerOptions {
  readonly layer: ChannelLayer;
  readonly log: Log;
  /** Messages of one channel that are handled at once. With 1 they are handled in order. @default {10} */
  readonly concurrency?: number;
  readonly retry?: RetryOptions;
  /**
   * Called for each message that was given up, before it goes to the dead-letter channel. If it throws,
   * it is called again later.
   */
  readonly onDeadLetter?: (letter: DeadLetter) => void | Promise<void>;
  readonly clock?: Clock;
  /** Random numbers in [0, 1), for spreading. */
  readonly random?: () => number;
}

/** What a worker did. */
export interface WorkerStats {
  /** Messages that were handled and acknowledged. */
  readonly handled: number;
  /** Attempts that failed and were followed by another. */
  readonly retried: number;
  /** Messages that were given up, and are in a dead-letter channel. */
  readonly dead: number;
  /** Leases that were lost before the message was acknowledged: it may be handled twice. */
  readonly lost: number;
}

/**
 * Handles the messages of named channels, beside the servers: what Channels calls `runworker`.
 *
 * *At least once*: a message stays in the layer until its handler has resolved, and is leased
 * meanwhile. If the worker's process is killed, another worker gets the message when the lease ends,
 * after `leaseMs` (30 s) at most. So a handler must expect a message twice.
 *
 * A message that fails is tried again after a while, and after the last attempt sent to the channel
 * `dead.<channel>` as a message of type {@linkcode DEAD_LETTER}. Attempts in which the process was
 * killed count. While it waits it keeps its place among the `concurrency` messages under way; the rest
 * waits in the layer, and a sender of too many messages gets `CHANNEL_FULL`. A message that cannot
 * become a dead letter, as that channel is full, stays in its own.
 *
 * @example
 * ```ts
 * import { MemoryChannelLayer } from "@sluice/sluice/layers";
 * import { channelRouter } from "@sluice/sluice/routing";
 * import { Worker } from "@sluice/sluice/workers";
 *
 * const layer = new MemoryChannelLayer();
 * const worker = new Worker(channelRouter({}), { layer, log: console });
 * await worker.stop();
 * ```
 */
export class Worker {
  readonly #find: (channel: string) => WorkerClass;
  readonly #options: WorkerOptions;
  readonly #listeners = new Map<string, ChannelListener>();

  constructor(find: (channel: string) => WorkerClass, options: WorkerOptions) {
    if (!((options.concurrency ?? 10) >= 1)) {
      throw new RangeError(
        `Cannot handle ${options.concurrency} messages at once: it takes 1 or more`,
      );
    }
    this.#find = find;
    this.#options = options;
  }

  /**
   * Begins to handle the messages of `channels`, and resolves when {@linkcode stop} is through.
   *
   * @throws {TypeError} Nothing serves one of them, or the name of one is too long for a dead-letter
   * channel, or names a channel of a process: then none is begun.
   */
  async run(channels: readonly string[]): Promise<void> {
    const { layer, log, clock = systemClock } = this.#options;
    const begun = channels.map((channel, index) => {
      assertServable(channel);
      if (this.#listeners.has(channel) || channels.indexOf(channel) < index) {
        throw new TypeError(`"${channel}" is served already`);
      }
      const worker = this.#find(channel);
      const consumer = new worker({ channel, layer, log });
      return [
        channel,
        new ChannelListener(channel, consumer, { ...this.#options, clock }),
      ] as const;
    });
    for (const [channel, listener] of begun) this.#listeners.set(channel, listener);
    await Promise.all(begun.map(([, listener]) => listener.run()));
  }

  /**
   * Takes no more messages, and waits for those under way, but no longer than `graceMs`: then their
   * `signal` aborts, and another worker gets them when their lease ends. Messages that wait for
   * another attempt go back to their channel at once.
   */
  async stop(graceMs = 10_000): Promise<void> {
    await Promise.all([...this.#listeners.values()].map((listener) => listener.stop(graceMs)));
  }

  /** What it did, over all channels. */
  get stats(): WorkerStats {
    const sum = { handled: 0, retried: 0, dead: 0, lost: 0 };
    for (const { stats } of this.#listeners.values()) {
      sum.handled += stats.handled;
      sum.retried += stats.retried;
      sum.dead += stats.dead;
      sum.lost += stats.lost;
    }
    return sum;
  }
}

function assertServable(channel: string): void {
  deadLetterChannel(channel);
  if (channel.includes("!")) {
    throw new TypeError(`Cannot serve "${channel}": it lives in a process, and keeps no messages`);
  }
}
