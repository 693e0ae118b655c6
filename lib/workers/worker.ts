import { systemClock } from "../core/clock.ts";
import { ChannelListener } from "./channel_listener.ts";
import { deadLetterChannel } from "./dead_letter.ts";
import { consoleLog } from "../core/log.ts";
import type { ChannelWorker, WorkerScope } from "./worker_consumer.ts";
import type { WorkerOptions } from "./worker_options.ts";

/** A class of workers. Each channel gets one instance. */
export interface WorkerClass {
  /** Creates the consumer of one channel. */
  new (scope: WorkerScope): ChannelWorker;
}

/**
 * Handles the messages of named channels in a separate process, like `runworker` of Channels.
 *
 * *At least once*: a message stays in the layer, leased, until its handler has resolved. If the
 * worker's process is killed, another worker gets the message when the lease ends, after `leaseMs`
 * (30 s) at most. So a handler must expect to see a message twice.
 *
 * A failed message is retried after a wait. After the last attempt it is sent to the channel
 * `dead.<channel>` as a message of type {@linkcode DEAD_LETTER}. Attempts in which the process was
 * killed count, too. A message that waits for a retry still counts against `concurrency`; further
 * messages wait in the layer, and a sender gets `CHANNEL_FULL` when the channel is full. If the
 * dead-letter channel is full, the message stays in its own channel.
 *
 * @example
 * ```ts
 * import { MemoryChannelLayer } from "@sluice/sluice";
 * import { channelRouter } from "@sluice/sluice/routing";
 * import { Worker } from "@sluice/sluice/workers";
 *
 * const layer = new MemoryChannelLayer();
 * const worker = new Worker(channelRouter({}), { layer });
 * await worker.stop();
 * ```
 */
export class Worker implements AsyncDisposable {
  readonly #find: (channel: string) => WorkerClass;
  readonly #options: WorkerOptions;
  readonly #listeners = new Map<string, ChannelListener>();

  /** Creates a worker; {@linkcode run} starts it. */
  constructor(find: (channel: string) => WorkerClass, options: WorkerOptions) {
    if (!((options.concurrency ?? 10) >= 1)) {
      throw new RangeError(
        `Cannot use a concurrency of ${options.concurrency}: it must be 1 or more`,
      );
    }
    this.#find = find;
    this.#options = options;
  }

  /**
   * Handles the messages of `channels`, and resolves when {@linkcode stop} has finished.
   *
   * @throws {TypeError} A channel has no worker, is served already, belongs to a process, or its name
   * is too long for a dead-letter channel. No channel is started then.
   */
  async run(channels: readonly string[]): Promise<void> {
    const { layer, log = consoleLog, clock = systemClock } = this.#options;
    const begun = channels.map((channel, index) => {
      assertServable(channel);
      if (this.#listeners.has(channel) || channels.indexOf(channel) < index) {
        throw new TypeError(`Cannot serve "${channel}": it is served already`);
      }
      const worker = this.#find(channel);
      const consumer = new worker({ channel, layer, log });
      return [
        channel,
        new ChannelListener(channel, consumer, { ...this.#options, clock, log }),
      ] as const;
    });
    for (const [channel, listener] of begun) this.#listeners.set(channel, listener);
    await Promise.all(begun.map(([, listener]) => listener.run()));
  }

  /**
   * Takes no more messages, and waits up to `graceMs` for running handlers. Then their `signal` aborts,
   * and another worker gets their messages when the leases end. Messages that wait for a retry return
   * to their channel at once.
   */
  async stop(graceMs = 10_000): Promise<void> {
    await Promise.all([...this.#listeners.values()].map((listener) => listener.stop(graceMs)));
  }

  /** Does the same as {@linkcode stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** The counters over all channels. */
  get stats(): {
    /** Messages that were handled and acknowledged. */
    readonly handled: number;
    /** Failed attempts that were followed by another one. */
    readonly retried: number;
    /** Messages that were given up and sent to a dead-letter channel. */
    readonly dead: number;
    /** Leases that were lost before the message was acknowledged; it may be handled twice. */
    readonly lost: number;
  } {
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
    throw new TypeError(`Cannot serve "${channel}": only durable channels can be served`);
  }
}
