import type { Lease } from "../layers/mod.ts";
import type { LayerGap } from "../core/consumer.ts";
import { LeasedJob, pause } from "./leased_job.ts";
import { retryDelay } from "./retry.ts";
import type { ChannelWorker } from "./worker_consumer.ts";
import type { ListenerOptions } from "./worker_options.ts";

/** Maximum number of readers at the start; more are added as messages arrive. */
const MAX_FIRST_LANES = 16;

/** Takes messages from one channel, up to `concurrency` at a time, and hands them to its worker. */
export class ChannelListener {
  readonly stats = { handled: 0, retried: 0, dead: 0, lost: 0 };
  readonly #channel: string;
  readonly #consumer: ChannelWorker;
  readonly #options: ListenerOptions;
  readonly #stopping = new AbortController();
  readonly #aborting = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  readonly #lanes = new Set<Promise<void>>();
  #underWay = 0;
  #failures = 0;
  /** The pause after a failure of the layer, shared by all lanes. */
  #pausing: Promise<void> | undefined;

  constructor(channel: string, consumer: ChannelWorker, options: ListenerOptions) {
    this.#channel = channel;
    this.#consumer = consumer;
    this.#options = options;
  }

  /** Takes messages until `stop()`, and resolves when the last one is settled. */
  async run(): Promise<void> {
    const leave = this.#options.layer.onGap((gap) => void this.#tellGap(gap));
    while (this.#lanes.size < Math.min(MAX_FIRST_LANES, this.#concurrency)) this.#addLane();
    while (this.#lanes.size > 0) await Promise.all(this.#lanes);
    leave();
    await this.#stopConsumer();
    this.#ended.resolve();
  }

  /** See `Worker.stop()`. */
  async stop(graceMs: number): Promise<void> {
    const { clock, log } = this.#options;
    this.#stopping.abort();
    const cancel = clock.after(graceMs, () => {
      log.warn("A worker did not stop in time", { channel: this.#channel, count: this.#underWay });
      this.#aborting.abort(new Error("The worker is stopping"));
      this.#ended.resolve();
    });
    await this.#ended.promise;
    cancel();
  }

  get #concurrency(): number {
    return Math.floor(this.#options.concurrency ?? 10);
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Never rejects. */
  async #tellGap(gap: LayerGap): Promise<void> {
    try {
      await this.#consumer.gap?.(gap);
    } catch (error) {
      this.#options.log.error("A worker failed after a gap", { channel: this.#channel, error });
    }
  }

  async #stopConsumer(): Promise<void> {
    try {
      await this.#consumer.stop();
    } catch (error) {
      this.#options.log.error("A worker failed to stop", { channel: this.#channel, error });
    }
  }

  #addLane(): void {
    const lane = this.#handleAll().finally(() => this.#lanes.delete(lane));
    this.#lanes.add(lane);
  }

  /** Handles messages one after the other. */
  async #handleAll(): Promise<void> {
    while (!this.#isStopping) {
      const lease = await this.#lease();
      if (lease === undefined) continue;
      this.#underWay++;
      if (this.#underWay === this.#lanes.size && this.#underWay < this.#concurrency) {
        this.#addLane();
      }
      await this.#handle(lease);
      this.#underWay--;
    }
  }

  async #handle(lease: Lease): Promise<void> {
    if (this.#isStopping) {
      // The handler has not started, so this does not count as an attempt.
      await lease.release({ attempts: lease.attempt - 1 }).catch(() => {});
      return;
    }
    const job = new LeasedJob(lease, {
      ...this.#options,
      channel: this.#channel,
      consumer: this.#consumer,
      stats: this.stats,
      stopping: this.#stopping.signal,
      aborting: this.#aborting.signal,
    });
    await job.run();
  }

  /** Returns the next message; `undefined` if the worker is stopping or the layer failed. */
  async #lease(): Promise<Lease | undefined> {
    const { signal } = this.#stopping;
    try {
      const lease = await this.#options.layer.lease(this.#channel, { signal });
      this.#failures = 0;
      return lease;
    } catch (error) {
      if (!this.#isStopping) await (this.#pausing ??= this.#pause(error));
      return undefined;
    }
  }

  async #pause(error: unknown): Promise<void> {
    const { clock, log, retry = {}, random } = this.#options;
    const waitMs = retryDelay(++this.#failures, retry, random);
    log.warn("Cannot read from a channel", { channel: this.#channel, error, waitMs });
    await pause(clock, waitMs, this.#stopping.signal);
    this.#pausing = undefined;
  }
}
