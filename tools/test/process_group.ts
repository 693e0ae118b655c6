import { setTimeout as pause } from "node:timers/promises";

/** How long a group has to end after SIGTERM before it is killed, in milliseconds. */
const GRACE_MS = 2_000;

/** How often a group is looked at meanwhile, in milliseconds. */
const POLL_MS = 50;

/** Groups that run now. */
const running = new Set<ProcessGroup>();

let isEnding = false;

/** A program and every process that it starts, which end together. */
export class ProcessGroup {
  readonly child: Deno.ChildProcess;

  constructor(program: string, options: Deno.CommandOptions) {
    this.child = new Deno.Command(program, { ...options, detached: true }).spawn();
    running.add(this);
    if (isEnding) void this.end();
  }

  /** Ends what is left of it: by SIGTERM, then by SIGKILL. */
  async end(): Promise<void> {
    const until = performance.now() + GRACE_MS;
    while (this.#signal("SIGTERM") && performance.now() < until) await pause(POLL_MS);
    this.#signal("SIGKILL");
    await this.child.status;
    running.delete(this);
  }

  /** Sends all of it a signal. Returns false if nothing of it is left. */
  #signal(signal: Deno.Signal): boolean {
    try {
      // A negative id is that of a group (POSIX).
      Deno.kill(Deno.build.os === "windows" ? this.child.pid : -this.child.pid, signal);
      return true;
    } catch {
      return false;
    }
  }
}

/** Ends every group that runs, and each that is started later. */
export async function endAll(): Promise<void> {
  isEnding = true;
  await Promise.all([...running].map((group) => group.end()));
}
