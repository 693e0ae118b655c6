import { setTimeout as pause } from "node:timers/promises";

/** How long a group may run after SIGTERM before it is killed, in milliseconds. */
const GRACE_MS = 2_000;

/** How often to check whether a group has ended, in milliseconds. */
const POLL_MS = 50;

/** Running groups. */
const running = new Set<ProcessGroup>();

let isEnding = false;

/** A program and all processes that it starts, which are stopped together. */
export class ProcessGroup {
  readonly child: Deno.ChildProcess;

  constructor(program: string, options: Deno.CommandOptions) {
    this.child = new Deno.Command(program, { ...options, detached: true }).spawn();
    running.add(this);
    if (isEnding) void this.end();
  }

  /** Stops the remaining processes with SIGTERM, then with SIGKILL. */
  async end(): Promise<void> {
    const until = performance.now() + GRACE_MS;
    while (this.#signal("SIGTERM") && performance.now() < until) await pause(POLL_MS);
    this.#signal("SIGKILL");
    await this.child.status;
    running.delete(this);
  }

  /** Sends a signal to all processes. Returns false if none is left. */
  #signal(signal: Deno.Signal): boolean {
    try {
      // A negative id addresses a process group (POSIX).
      Deno.kill(Deno.build.os === "windows" ? this.child.pid : -this.child.pid, signal);
      return true;
    } catch {
      return false;
    }
  }
}

/** Stops all running groups, and each group that is started later. */
export async function endAll(): Promise<void> {
  isEnding = true;
  await Promise.all([...running].map((group) => group.end()));
}
