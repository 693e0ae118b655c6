import { pinned } from "./cores.ts";

const LISTENING = /listening (\d+)\n/;

/** A server to start. */
export interface ServerSpec {
  readonly command: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Its output once it listens; the first group is the port. @default {/listening (\d+)\n/} */
  readonly listening?: RegExp;
}

/** A listening server in a separate process. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly port: number;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /**
   * Starts the server on its processor.
   *
   * @param turn The index among several servers that run at once.
   * @throws {Error} The server ended before it listened.
   */
  static async start(spec: ServerSpec, turn = 0): Promise<ServerProcess> {
    const [program, ...args] = pinned("server", spec.command, turn);
    const child = new Deno.Command(program!, {
      args,
      cwd: spec.cwd,
      env: { NO_COLOR: "1", ...spec.env },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    return new ServerProcess(child, await readPort(child, spec.listening ?? LISTENING));
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The resident memory of the process, in bytes. */
  rss(): number {
    const status = Deno.readTextFileSync(`/proc/${this.pid}/status`);
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* It has ended. */ }
    await this.#child.status;
  }
}

/** Keeps reading the output, because a process blocks when it writes to a full pipe. */
function readPort(child: Deno.ChildProcess, listening: RegExp): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const read = async () => {
    let text = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text = (text + chunk).slice(-10_000);
      const [, port] = listening.exec(text) ?? [];
      if (port !== undefined) resolve(Number(port));
    }
    reject(new Error(`The server ended before it listened: ${text}`));
  };
  read().catch(reject);
  return promise;
}
