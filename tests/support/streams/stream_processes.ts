import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../free_port.ts";
import type { StreamDatabase } from "./stream_database.ts";

const SCRIPT = fileURLToPath(new URL("stream_process.ts", import.meta.url));

/** Processes that serve one stream on one port. */
export class StreamProcesses implements AsyncDisposable {
  readonly url: string;
  readonly #database: StreamDatabase;
  readonly #port: number = freePort();
  #running: Deno.ChildProcess[] = [];
  #killing: Promise<void> = Promise.resolve();
  #isOver = false;
  kills = 0;

  private constructor(database: StreamDatabase) {
    this.#database = database;
    this.url = `http://127.0.0.1:${this.#port}`;
  }

  /** Starts the processes, and waits until all of them listen. */
  static async start(database: StreamDatabase, count: number): Promise<StreamProcesses> {
    const processes = new StreamProcesses(database);
    await Promise.all(Array.from({ length: count }, () => processes.#spawn()));
    return processes;
  }

  /** Kills one process after another with SIGKILL, and replaces it, until the end. */
  killInTurn(everyMs: number): void {
    this.#killing = (async () => {
      await setTimeout(everyMs);
      while (!this.#isOver) {
        const oldest = this.#running.shift()!;
        oldest.kill("SIGKILL");
        this.kills++;
        await Promise.all([oldest.status, this.#spawn(), setTimeout(everyMs)]);
      }
    })();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#killing;
    for (const child of this.#running) child.kill("SIGKILL");
    await Promise.all(this.#running.map((child) => child.status));
  }

  async #spawn(): Promise<void> {
    const { kind, address } = this.#database;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", SCRIPT, kind, address, `${this.#port}`],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#running.push(child);
    const reader = child.stdout.getReader();
    await reader.read();
    void reader.cancel();
  }
}
