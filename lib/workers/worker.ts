import type { ChannelLayer } from "../layers/mod.ts";
import { type Clock, type Log, systemClock } from "../scope.ts";
import { ChannelListener } from "./channel_listener.ts";
import type { DeadLetter } from "./dead_letter.ts";
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
  /** Called for each message that was given up, before it goes to the dead-letter channel. */
  readonly onDeadLetter?: (letter: DeadLetter) => void | Promise<void>;
  readonly clock?: Clock;
  /** Random numbers in [0, 1), for spreading. */
  readonly random?: () => number;
}

/** What a worker did. */
export interface WorkerStats {
  /** Messages that were handled. */
  readonly handled: number;
  /** Attempts that failed and were followed by another. */
  readonly retried: number;
  /** Messages that were given up, and are in a dead-letter channel. */
  readonly dead: number;
  /** Messages that even the dead-letter channel did not take; the log has them. */
  readonly lost: number;
}

/**
 * Handles the messages of named channels, beside the servers: what Channels calls `runworker`.
 *
 * A message that fails is tried again after a while, and after the last attempt sent to the channel
 * `dead.<channel>` as a message of type {@linkcode DEAD_LETTER}; nothing is given up without a line in
 * the log. While it waits it keeps its place among the `concurrency` messages under way, so that what
 * is in this process is bounded; the rest waits in the layer, and who sends too much hears of it
 * (`CHANNEL_FULL`).
 *
 * The limit: what is in the process when it is killed (`kill -9`) is lost, as the layer delivers at
 * most once. When it is stopped in time, what waits for another attempt goes back to its channel.
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
   * @throws {TypeError} Nothing serves one of them: then none is begun.
   */
  async run(channels: readonly string[]): Promise<void> {
    const { layer, log, clock = systemClock } = this.#options;
    const found = channels.map((channel) => ({ channel, worker: this.#find(channel) }));
    const running = found.map(({ channel, worker }) => {
      if (this.#listeners.has(channel)) throw new TypeError(`"${channel}" is served already`);
      const consumer = new worker({ channel, layer, log });
      const listener = new ChannelListener(channel, consumer, { ...this.#options, clock });
      this.#listeners.set(channel, listener);
      return listener.run();
    });
    await Promise.all(running);
  }

  /**
   * Takes no more messages, and waits for those under way, but no longer than `graceMs`: then their
   * `signal` aborts. What waits for another attempt goes back to its channel.
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
