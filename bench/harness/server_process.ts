import { pinned } from "./cores.ts";

/** A server that can be started. */
export interface ServerSpec {
  readonly command: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A server in a process of its own, that has printed `listening PORT`. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly port: number;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /**
   * Starts it on its processor.
   *
   * @param turn Which one it is of several that run at once.
   * @throws {Error} It ended before it listened.
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
    return new ServerProcess(child, await readPort(child));
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Memory that it holds, in bytes: resident, as the kernel counts it. */
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

async function readPort(child: Deno.ChildProcess): Promise<number> {
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const [, port] = /listening (\d+)\n/.exec(text) ?? [];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`The server ended before it listened: ${text}`);
}
