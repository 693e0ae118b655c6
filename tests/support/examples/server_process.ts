import { assertNoSecrets } from "../../../tools/test/secrets.ts";

/** How to start a server. */
export interface ServerCommand {
  /** The arguments of `deno`. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A server in its own process. It is ready when it prints its address. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  readonly #listening = Promise.withResolvers<string>();
  #output = "";
  origin = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#read = Promise.all([this.#hear(child.stdout), this.#hear(child.stderr)]).then(() => {
      this.#listening.reject(new Error(`It ended before it listened:\n${this.#output}`));
      this.#listening.promise.catch(() => {});
    });
  }

  /** Starts it on a free port, and waits until it listens. */
  static async start({ args, cwd, env }: ServerCommand): Promise<ServerProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd,
      env: { PORT: "0", NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const process = new ServerProcess(child);
    process.origin = await process.#listening.promise;
    return process;
  }

  /** Stops it like a terminal or a supervisor; returns its exit code. */
  async stop(): Promise<number> {
    try {
      this.#child.kill("SIGTERM");
    } catch { /* it has ended */ }
    const { code } = await this.#child.status;
    await this.#read;
    return code;
  }

  /** @throws {Error} The output contains a secret. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    assertNoSecrets(this.#output, "What a server printed");
  }

  async #hear(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#output += text;
      const [, origin] = /(?:listens|Listening) on (http:\/\/[^\s/]+)/.exec(this.#output) ?? [];
      if (origin !== undefined) this.#listening.resolve(origin);
    }
  }
}
