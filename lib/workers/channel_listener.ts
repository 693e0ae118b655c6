import type { Clock, LayerGap, LayerMessage } from "../scope.ts";
import { DEAD_LETTER, type DeadLetter, deadLetterChannel } from "./dead_letter.ts";
import { retryDelay } from "./retry.ts";
import { Unprocessable } from "./unprocessable.ts";
import type { WorkerOptions } from "./worker.ts";
import type { ChannelWorker, Job } from "./worker_consumer.ts";

/** Takes the messages of one channel, so many at a time, and hands them to its worker. */
export class ChannelListener {
  readonly stats = { handled: 0, retried: 0, dead: 0, lost: 0 };
  readonly #channel: string;
  readonly #consumer: ChannelWorker;
  readonly #options: WorkerOptions & { readonly clock: Clock };
  readonly #stopping = new AbortController();
  readonly #aborting = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #through = Promise.withResolvers<void>();
  #freed: (() => void) | undefined;

  constructor(
    channel: string,
    consumer: ChannelWorker,
    options: WorkerOptions & { readonly clock: Clock },
  ) {
    this.#channel = channel;
    this.#consumer = consumer;
    this.#options = options;
  }

  /** Takes messages until it is stopped; resolves when the last one is through. */
  async run(): Promise<void> {
    const { concurrency = 10 } = this.#options;
    const deafen = this.#options.layer.onGap((gap) => void this.#tellGap(gap));
    let failures = 0;
    while (!this.#isStopping) {
      if (this.#underWay.size >= concurrency) {
        await new Promise<void>((resolve) => this.#freed = resolve);
        continue;
      }
      const message = await this.#receive(++failures);
      if (message === undefined) continue;
      failures = 0;
      this.#begin(message);
    }
    await Promise.all(this.#underWay);
    deafen();
    await this.#consumer.stop();
    this.#through.resolve();
  }

  /** See `Worker.stop()`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    this.#freed?.();
    const cancel = this.#options.clock.after(graceMs, () => {
      this.#options.log.warn("Messages are not through", {
        channel: this.#channel,
        count: this.#underWay.size,
      });
      this.#aborting.abort(new Error("The worker stops"));
      this.#through.resolve();
    });
    await this.#through.promise;
    cancel();
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #tellGap(gap: LayerGap): Promise<void> {
    try {
      await this.#consumer.gap?.(gap);
    } catch (error) {
      this.#options.log.error("A worker failed after a gap", { channel: this.#channel, error });
    }
  }

  /** The next message; undefined where it stops, or where the layer failed: after a while then. */
  async #receive(failures: number): Promise<LayerMessage | undefined> {
    try {
      return await this.#options.layer.receive(this.#channel, { signal: this.#stopping.signal });
    } catch (error) {
      if (this.#isStopping) return undefined;
      const waitMs = retryDelay(failures, this.#options.retry ?? {}, this.#options.random);
      this.#options.log.warn("A channel cannot be read", { channel: this.#channel, error, waitMs });
      await this.#pause(waitMs);
      return undefined;
    }
  }

  #begin(message: LayerMessage): void {
    const work = this.#work(message).finally(() => {
      this.#underWay.delete(work);
      this.#freed?.();
      this.#freed = undefined;
    });
    this.#underWay.add(work);
  }

  /** Tries until it is handled or given up. Never rejects. */
  async #work(message: LayerMessage): Promise<void> {
    const { retry = {}, random, log } = this.#options;
    for (let attempt = 1;; attempt++) {
      const job: Job = { attempt, signal: this.#aborting.signal };
      try {
        await this.#consumer.handle(message, job);
        this.stats.handled++;
        return;
      } catch (error) {
        const isLast = attempt >= (retry.attempts ?? 5) || error instanceof Unprocessable;
        if (isLast) return await this.#giveUp(message, attempt, error);
        if (this.#isStopping) return await this.#putBack(message, attempt, error);
        const waitMs = retryDelay(attempt, retry, random);
        const { type } = message;
        log.warn("A message failed", { channel: this.#channel, type, attempt, waitMs, error });
        await this.#pause(waitMs);
        if (this.#isStopping) return await this.#putBack(message, attempt, error);
        this.stats.retried++;
      }
    }
  }

  /** Leaves a message to another worker. */
  async #putBack(message: LayerMessage, attempts: number, error: unknown): Promise<void> {
    try {
      await this.#options.layer.send(this.#channel, message);
    } catch {
      await this.#giveUp(message, attempts, error);
    }
  }

  async #giveUp(message: LayerMessage, attempts: number, error: unknown): Promise<void> {
    const { layer, log, clock, onDeadLetter } = this.#options;
    const letter: DeadLetter = {
      channel: this.#channel,
      message,
      attempts,
      error: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      at: clock.now(),
    };
    log.error("A message was given up", {
      channel: this.#channel,
      type: message.type,
      attempts,
      error,
    });
    try {
      await onDeadLetter?.(letter);
      await layer.send(deadLetterChannel(this.#channel), { type: DEAD_LETTER, data: letter });
      this.stats.dead++;
    } catch (cause) {
      this.stats.lost++;
      log.error("A message is lost", { letter, error: cause });
    }
  }

  /** Waits, but not after the worker was told to stop. */
  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.#options.clock.after(ms, done);
      signal.addEventListener("abort", done);
    });
  }
}
