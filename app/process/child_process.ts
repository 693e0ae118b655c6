import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Child } from "./process_pool.ts";
import type { ToChild, ToParent } from "./process_messages.ts";
import { V8_FLAGS } from "./v8_flags.ts";

/** The argument that marks a process as one of several on one port. */
export const SHARED = "--reuse-port";

/** One of several serving processes: a child that runs this program and is connected by a channel. */
export class ServingProcess implements Child {
  readonly listens: Promise<boolean>;
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;
  #isListening = false;

  constructor(heard: (message: ToParent) => void) {
    const main = fileURLToPath(new URL("../../dev.ts", import.meta.url));
    const child = spawn(process.execPath, ["run", "-A", V8_FLAGS, main, "serve", SHARED], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
      child.once("error", () => resolve(constants.errno.EAGAIN)); // The process did not start.
    });
    this.listens = new Promise((resolve) => {
      child.on("message", (message: ToParent) => {
        if (message.type === "listens") resolve(this.#isListening = true);
        heard(message);
      });
      void this.ended.then(() => resolve(false)).catch(() => {});
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends a message to the process. The message is lost if the process has ended. */
  send(message: ToChild): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  stop(signal: string): void {
    // Once the process has signal handlers, send a message: a terminal or systemd signals the whole
    // group, and a signal from here would be the second one.
    if (this.#isListening) this.send({ type: "stop", signal });
    else this.leave();
  }

  leave(): void {
    this.#signal("SIGTERM");
  }

  kill(): void {
    this.#signal("SIGKILL");
  }

  #signal(signal: NodeJS.Signals): void {
    // `ChildProcess.kill()` of Deno 2.9.6 closes the channel, which the process takes as an order
    // to stop.
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    try {
      process.kill(this.pid, signal);
    } catch { /* it has ended */ }
  }
}

/** The parent process. */
export interface ParentProcess {
  send(message: ToParent): void;
  /**
   * Calls `heard` for each message of the parent, and with an order to stop when the parent is
   * gone.
   */
  listen(heard: (message: ToChild) => void): void;
}

/** Returns the parent if this is one of several processes; undefined if it is the only one. */
export function parentProcess(): ParentProcess | undefined {
  if (!process.argv.includes(SHARED) || process.send === undefined) return undefined;
  return {
    send(message) {
      if (process.connected) process.send?.(message, undefined, undefined, () => {});
    },
    listen(heard) {
      process.on("message", heard);
      const gone = () => heard({ type: "stop", signal: "SIGTERM" });
      if (process.connected) process.once("disconnect", gone);
      else gone();
      // A closing terminal sends it to the whole group, but only the parent acts on it.
      process.on("SIGHUP", () => {});
    },
  };
}
