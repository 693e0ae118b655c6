import type { Clock, Log } from "@sluice/sluice/server";

/** One of several processes serving on one port. */
export interface Child {
  readonly pid: number;
  /** Resolves to true when it listens, or to false if it ended before that. */
  readonly listens: Promise<boolean>;
  /** Resolves to its exit status. */
  readonly ended: Promise<number>;
  /** Orders it to stop with all others; it keeps answering while it drains. */
  stop(signal: string): void;
  /** Orders it to leave the port to the others and to drain. */
  leave(): void;
  /** Kills it. */
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

/** Pause before an ended process is restarted, in milliseconds: doubles each time. */
const RESTART_MS = 200;

/** Longest such pause, in milliseconds. */
const MAX_RESTART_MS = 10_000;

/** A process that has listened for this long counts as healthy, in milliseconds. */
const HEALTHY_MS = 10_000;

/** Consecutive failed starts, while no process listens, after which the pool gives up. */
const MAX_FAILURES = 6;

/** How long a process may take to end after its drain, in milliseconds, before it is killed. */
const CLOSE_MS = 4_750;

/** How long a new process may take to listen, in milliseconds. */
const START_MS = 60_000;

/** The exit status of a process that a second signal ended. */
const INTERRUPTED = 130;

/** A process and its state, from its start to its end. */
interface Process<C extends Child> {
  readonly child: C;
  readonly startedAt: number;
  /** `leaving`: ordered to end while the others stay. */
  state: "starting" | "listening" | "leaving";
}

/** A place that one process serves at a time. */
interface Place<C extends Child> {
  /** The serving process; undefined during the pause before a restart. */
  current: Process<C> | undefined;
  /** The process that will replace it. */
  next: Process<C> | undefined;
  /** The id of a process that ended unexpectedly, until another one listens in its place. */
  missing: number | undefined;
  failures: number;
  cancelRestart: () => void;
}

/**
 * Keeps a number of processes running until it is stopped.
 *
 * Each place has one process. If it ends, it is restarted after a pause. A replacement handles one
 * place at a time: it starts a new process and, when that listens, ends the old one and waits for
 * its end. So there is never more than one process above the count, and none without a place.
 */
export class ProcessPool<C extends Child = Child> {
  readonly #options: ProcessPoolOptions<C>;
  readonly #places: readonly Place<C>[];
  /** All running processes. */
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

  /** All processes that listen, or did until they were ordered to end. */
  get listening(): C[] {
    return [...this.#processes].filter(({ state }) => state !== "starting")
      .map(({ child }) => child);
  }

  /** The ids of processes that ended unexpectedly and are not replaced yet. */
  get missing(): number[] {
    return this.#places.flatMap(({ missing }) => missing ?? []);
  }

  /** Starts all processes; resolves to the overall exit status when the last one has ended. */
  run(): Promise<number> {
    for (const place of this.#places) place.current = this.#start(place);
    return this.#ended.promise;
  }

  /** Stops all processes; a second call kills them. */
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

  /** Replaces all processes, one after the other; keeps the remaining ones if a new one fails. */
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
        log.error("A new process did not start; keeping the running ones");
        break;
      }
    }
    const isAgain = this.#replacement === "again";
    this.#replacement = "none";
    if (isAgain) this.replace();
  }

  /** Returns false if the new process ended, or did not listen in time. */
  async #replaceOne(place: Place<C>): Promise<boolean> {
    // The current process is not awaited: it may end at any time, and the new one takes its place.
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
    const failed = (error: unknown) => log.error("A process can no longer be tracked", { error });
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
      // A process that does not listen yet is ended by the signal itself.
      if (process.state !== "starting") this.#status = Math.max(this.#status, status);
    } else if (this.#state === "running") {
      if (process === place.next) place.next = undefined;
      if (process === place.current) this.#endByItself(process, place, status);
    }
    this.#checkEnd();
  }

  /** Handles the unexpected end of a process. */
  #endByItself(process: Process<C>, place: Place<C>, status: number): void {
    place.current = undefined;
    place.missing ??= process.child.pid;
    const { clock, log } = this.#options;
    const isHealthy = process.state === "listening" &&
      clock.elapsed() - process.startedAt > HEALTHY_MS;
    place.failures = isHealthy ? 0 : place.failures + 1;
    // A wrong setting stays wrong after a restart.
    const isWrong = status === 1 && !this.#hasListened;
    const isAlone = ![...this.#processes].some(({ state }) => state === "listening");
    if (isWrong || (place.failures >= MAX_FAILURES && isAlone)) {
      this.#status = status;
      if (!isWrong) log.error("No process can start; stopping all of them", { status });
      return this.stop("SIGTERM");
    }
    log.warn("A process ended unexpectedly; starting another one", {
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

  /** Kills a process that did not end in time. */
  #killLate({ child }: Process<C>): void {
    const { clock, drainMs, log } = this.#options;
    const cancel = clock.after(drainMs + CLOSE_MS, () => {
      log.warn("A process did not end in time; killing it", { ended: child.pid });
      child.kill();
    });
    void child.ended.then(cancel).catch(() => {});
  }

  #checkEnd(): void {
    if (this.#state !== "running" && this.#processes.size === 0) this.#ended.resolve(this.#status);
  }
}
