import type { Clock } from "../core/clock.ts";
import type { Lease } from "../layers/mod.ts";
import { type DeadLetter, errorText, sendDeadLetter } from "./dead_letter.ts";
import { retryDelay } from "./retry.ts";
import { UnprocessableError } from "./unprocessable_error.ts";
import type { ChannelWorker } from "./worker_consumer.ts";
import type { ListenerOptions } from "./worker_options.ts";

/** What a {@linkcode LeasedJob} is given. */
export interface LeasedJobContext extends ListenerOptions {
  readonly channel: string;
  readonly consumer: ChannelWorker;
  readonly stats: Record<"handled" | "retried" | "dead" | "lost", number>;
  /** Aborts when the worker stops; no further attempt begins. */
  readonly stopping: AbortSignal;
  /** Aborts when the grace period has ended. */
  readonly aborting: AbortSignal;
}

/** Handles one leased message until it is acknowledged, given up or released. */
export class LeasedJob {
  readonly #lease: Lease;
  readonly #context: LeasedJobContext;
  readonly #keeper: LeaseKeeper;

  constructor(lease: Lease, context: LeasedJobContext) {
    this.#lease = lease;
    this.#context = context;
    this.#keeper = new LeaseKeeper(lease, context.clock);
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { retry: { attempts = 5 } = {}, stats } = this.#context;
    try {
      for (let attempt = this.#lease.attempt;; attempt++) {
        if (attempt > attempts) return await this.#giveUp(attempts, ended(attempts));
        const failure = await this.#try(attempt);
        if (failure === undefined) return await this.#acknowledge("handled");
        if (this.#keeper.lost.aborted) return this.#noteLost();
        const { error } = failure;
        const isLast = attempt >= attempts || error instanceof UnprocessableError;
        if (isLast) return await this.#giveUp(attempt, error);
        if (!await this.#wait(attempt, error)) return await this.#giveBack(attempt);
        stats.retried++;
        await this.#keeper.renew(attempt + 1);
        if (this.#keeper.lost.aborted) return this.#noteLost();
      }
    } finally {
      this.#keeper.stop();
    }
  }

  /** Runs the handler, and returns its error if it throws. */
  async #try(attempt: number): Promise<{ readonly error: unknown } | undefined> {
    const { consumer, aborting } = this.#context;
    const signal = AbortSignal.any([aborting, this.#keeper.lost]);
    try {
      await consumer.handle(this.#lease.message, { attempt, signal });
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  /** Waits before the next attempt. Returns false if the worker stops. */
  async #wait(attempt: number, error: unknown): Promise<boolean> {
    const { channel, clock, stopping, retry = {}, random, log } = this.#context;
    if (stopping.aborted) return false;
    const waitMs = retryDelay(attempt, retry, random);
    const { type } = this.#lease.message;
    log.warn("A message failed", { channel, type, attempt, waitMs, error });
    await pause(clock, waitMs, stopping);
    return !stopping.aborted;
  }

  async #acknowledge(outcome: "handled" | "dead"): Promise<void> {
    this.#keeper.stop();
    const isDone = await this.#lease.ack().catch(() => false);
    if (isDone) this.#context.stats[outcome]++;
    else this.#noteLost();
  }

  /** Releases the message to other workers. If that fails, they get it when the lease ends. */
  async #giveBack(attempts: number): Promise<void> {
    this.#keeper.stop();
    await this.#lease.release({ attempts }).catch(() => {});
  }

  /** Stores a dead letter, and only then removes the message from its channel. */
  async #giveUp(attempts: number, error: unknown): Promise<void> {
    const { channel, layer, log, clock, onDeadLetter, retry = {}, random, stopping } =
      this.#context;
    const { message } = this.#lease;
    const at = clock.now();
    const letter: DeadLetter = { channel, message, attempts, error: errorText(error), at };
    log.error("A message was given up", { channel, type: message.type, attempts, error });
    let isTold = onDeadLetter === undefined;
    for (let tries = 1; !this.#keeper.lost.aborted; tries++) {
      try {
        if (!isTold) await onDeadLetter!(letter);
        isTold = true;
        const isWhole = await sendDeadLetter(layer, letter);
        if (!isWhole) log.error("A dead letter is too large: its data was left out", { letter });
        return await this.#acknowledge("dead");
      } catch (cause) {
        log.error("A dead letter cannot be stored", { channel, error: cause });
        await pause(clock, retryDelay(tries, retry, random), stopping);
        // One attempt fewer, so that the next worker sees the error again.
        if (stopping.aborted) return await this.#giveBack(attempts - 1);
      }
    }
    this.#noteLost();
  }

  #noteLost(): void {
    const { channel, log, stats } = this.#context;
    const { type } = this.#lease.message;
    stats.lost++;
    log.warn("A lease was lost: the message may be handled twice", { channel, type });
  }
}

/** Renews a lease after every third of its duration, until it is stopped or the lease is lost. */
class LeaseKeeper {
  readonly #lease: Lease;
  readonly #clock: Clock;
  readonly #lost = new AbortController();
  #isStopped = false;
  #cancel: (() => void) | undefined;

  constructor(lease: Lease, clock: Clock) {
    this.#lease = lease;
    this.#clock = clock;
    this.#renewLater();
  }

  /** Aborts when another worker has the message. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Renews the lease now, and records the number of the attempt that begins. */
  async renew(attempts: number = this.#lease.attempt): Promise<void> {
    try {
      if (await this.#lease.renew({ attempts }) || this.#isStopped) return;
      this.#lost.abort(new Error("The lease is lost: another worker has the message"));
    } catch {
      // If the lease is lost, a later call detects it once the layer is reachable again.
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #renewLater(): void {
    if (this.#isStopped || this.lost.aborted) return;
    this.#cancel = this.#clock.after(this.#lease.durationMs / 3, async () => {
      await this.renew();
      this.#renewLater();
    });
  }
}

/** Resolves after `ms`, or as soon as `signal` aborts. */
export function pause(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener("abort", done);
  });
}

function ended(attempts: number): Error {
  return new Error(`The worker ended before the handler did, in each of ${attempts} attempts`);
}
