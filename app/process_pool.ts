import type { Clock, Log } from "@sluice/sluice";

/** One of several processes that serve on one port. */
export interface Child {
  readonly pid: number;
  /** Resolves to true when it listens, to false if it ended before. */
  readonly listens: Promise<boolean>;
  /** Resolves to its exit status. */
  readonly ended: Promise<number>;
  /** Tells it that all of them stop: it goes on answering while it drains. */
  stop(signal: string): void;
  /** Tells it to leave the port to the others, and to drain. */
  leave(): void;
  /** Ends it at once. */
  kill(): void;
}

/** Options of {@linkcode ProcessPool}. */
export interface ProcessPoolOptions<C extends Child> {
  /** How many processes serve. */
  readonly count: number;
  readonly start: () => C;
  /** How long a process may take to drain, in milliseconds. */
  readonly drainMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Pause before a process that ended is started again, in milliseconds: doubles each time. */
const RESTART_MS = 200;

/** Longest such pause, in milliseconds. */
const MAX_RESTART_MS = 10_000;

/** A process that listened this long has started well, in milliseconds. */
const HEALTHY_MS = 10_000;

/** Starts that may fail in a row while no other process listens, before all is given up. */
const MAX_FAILURES = 6;

/** How long a process may take to end after its drain before it is killed, in milliseconds. */
const CLOSE_MS = 4_750;

/** How long a new process may take until it listens, in milliseconds. */
const START_MS = 60_000;

/** The exit status of a process that was ended by a second signal. */
const INTERRUPTED = 130;

/** A process and its state, from its start to its end. */
interface Process<C extends Child> {
  readonly child: C;
  readonly startedAt: number;
  /** `leaving` is one that was told to go while the others stay. */
  state: "starting" | "listening" | "leaving";
}

/** What is to be served by one process at a time. */
interface Place<C extends Child> {
  /** The process that serves; undefined during the pause before a new start. */
  current: Process<C> | undefined;
  /** The process that is to take over from it. */
  next: Process<C> | undefined;
  /** The id of the process that ended by itself, until another one listens in its place. */
  missing: number | undefined;
  failures: number;
  cancelRestart: () => void;
}

/**
 * Keeps a number of processes running until it is stopped.
 *
 * Each place has one process. One that ends is started again, after a pause. A replacement takes one
 * place at a time: starts a new process and, when that listens, lets the old one go and waits for its
 * end. So there is never more than one process above the count, and none that no place knows.
 */
export class ProcessPool<C extends Child = Child> {
  readonly #options: ProcessPoolOptions<C>;
  readonly #places: readonly Place<C>[];
  /** Every process that runs. */
  readonly #processes = new Set<Process<C>>();
  readonly #ended = Promise.withResolvers<number>();
  #state: "running" | "stopping" | "killed" = "running";
  #status = 0;
  #replacement: "none" | "running" | "again" = "none";
  #hasListened = false;

  constructor(options: ProcessPoolOptions<C>) {
    this.#options = options;
    this.#places = Array.from({ length: options.count }, () => (
      { current: undefined, next: undefined, missing: undefined, failures: 0, cancelRestart() {} }
    ));
  }

  /** Every process that listens, or did until it was told to end. */
  get listening(): C[] {
    return [...this.#processes].filter(({ state }) => state !== "starting")
      .map(({ child }) => child);
  }

  /** The ids of processes that ended by themselves, and of which no other has taken the place yet. */
  get missing(): number[] {
    return this.#places.flatMap(({ missing }) => missing ?? []);
  }

  /** Starts all processes; resolves to the exit status of the whole when the last has ended. */
  run(): Promise<number> {
    for (const place of this.#places) place.current = this.#start(place);
    return this.#ended.promise;
  }

  /** Stops all; kills them if it is called again. */
  stop(signal: string): void {
    if (this.#state === "stopping") {
      this.#state = "killed";
      this.#status = INTERRUPTED;
      for (const { child } of this.#processes) child.kill();
    }
    if (this.#state !== "running") return;
    this.#state = "stopping";
    for (const place of this.#places) place.cancelRestart();
    for (const process of this.#processes) {
      if (process.state !== "leaving") process.child.stop(signal);
      this.#killLate(process);
    }
    this.#checkEnd();
  }

  /** Replaces all processes, one after the other; keeps those that are left if a new one fails. */
  replace(): void {
    if (this.#state !== "running") return;
    if (this.#replacement !== "none") return void (this.#replacement = "again");
    this.#replacement = "running";
    const failed = (error: unknown) => {
      this.#replacement = "none";
      this.#options.log.error("The processes could not be replaced", { error });
    };
    void this.#replaceAll().catch(failed);
  }

  async #replaceAll(): Promise<void> {
    const { log } = this.#options;
    for (const place of this.#places) {
      if (this.#state !== "running") return;
      if (!await this.#replaceOne(place)) {
        log.error("A new process did not start; those that run are kept");
        break;
      }
    }
    const isAgain = this.#replacement === "again";
    this.#replacement = "none";
    if (isAgain) this.replace();
  }

  /** Returns false if the new process ended, or did not listen in time. */
  async #replaceOne(place: Place<C>): Promise<boolean> {
    // What is there is not awaited: it may end at any time, and the new process takes its place.
    place.cancelRestart();
    const { child } = place.next = this.#start(place);
    const listens = await child.listens;
    const { next, current } = place;
    if (this.#state !== "running") return true;
    if (!listens || next === undefined) {
      place.next = undefined;
      if (current === undefined) this.#startAgain(place);
      return false;
    }
    [place.current, place.next, place.failures] = [next, undefined, 0];
    if (current !== undefined) {
      current.state = "leaving";
      current.child.leave();
      this.#killLate(current);
      await current.child.ended;
    }
    return true;
  }

  #start(place: Place<C>): Process<C> {
    const { start, clock, log } = this.#options;
    const failed = (error: unknown) => log.error("A process was lost sight of", { error });
    const process: Process<C> = { child: start(), startedAt: clock.elapsed(), state: "starting" };
    this.#processes.add(process);
    const cancel = clock.after(START_MS, () => process.child.kill());
    void process.child.listens.then((listens) => {
      cancel();
      if (!listens) return;
      this.#hasListened = true;
      place.missing = undefined;
      if (process.state === "starting") process.state = "listening";
    }).catch(failed);
    void process.child.ended.then((status) => this.#end(process, place, status)).catch(failed);
    return process;
  }

  #end(process: Process<C>, place: Place<C>, status: number): void {
    this.#processes.delete(process);
    if (this.#state === "stopping") {
      // One that did not listen yet ends by the signal itself.
      if (process.state !== "starting") this.#status = Math.max(this.#status, status);
    } else if (this.#state === "running") {
      if (process === place.next) place.next = undefined;
      if (process === place.current) this.#endByItself(process, place, status);
    }
    this.#checkEnd();
  }

  /** A process has ended that was to serve. */
  #endByItself(process: Process<C>, place: Place<C>, status: number): void {
    place.current = undefined;
    place.missing ??= process.child.pid;
    const { clock, log } = this.#options;
    const isHealthy = process.state === "listening" &&
      clock.elapsed() - process.startedAt > HEALTHY_MS;
    place.failures = isHealthy ? 0 : place.failures + 1;
    // A wrong setting does not get better by being read again.
    const isWrong = status === 1 && !this.#hasListened;
    const isAlone = ![...this.#processes].some(({ state }) => state === "listening");
    if (isWrong || (place.failures >= MAX_FAILURES && isAlone)) {
      this.#status = status;
      if (!isWrong) log.error("No process starts any more; all of them stop", { status });
      return this.stop("SIGTERM");
    }
    log.warn("A process ended by itself; another one is started", {
      ended: process.child.pid,
      status,
    });
    if (place.next === undefined) this.#startAgain(place);
  }

  #startAgain(place: Place<C>): void {
    const { clock } = this.#options;
    const pauseMs = Math.min(MAX_RESTART_MS, RESTART_MS * 2 ** place.failures);
    place.cancelRestart = clock.after(pauseMs, () => place.current = this.#start(place));
  }

  /** Kills a process that was told to end, if it has not when it should have. */
  #killLate({ child }: Process<C>): void {
    const { clock, drainMs, log } = this.#options;
    const cancel = clock.after(drainMs + CLOSE_MS, () => {
      log.warn("A process did not end in time, and is killed", { ended: child.pid });
      child.kill();
    });
    void child.ended.then(cancel).catch(() => {});
  }

  #checkEnd(): void {
    if (this.#state !== "running" && this.#processes.size === 0) this.#ended.resolve(this.#status);
  }
}
