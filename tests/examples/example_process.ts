import { fileURLToPath } from "node:url";
import { TestBrowser } from "../app/test_app.ts";
import { WsClient } from "../e2e/ws_client.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A single file of `examples/` in a process of its own, on a free port. */
export class ExampleProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #output: Promise<void>;
  readonly #listening = Promise.withResolvers<string>();
  #stderr = "";
  origin = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#output = this.#read();
  }

  /** Starts `examples/NAME.ts` as its first line says, and waits until it listens. */
  static async start(name: string): Promise<ExampleProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", `examples/${name}.ts`],
      cwd: ROOT,
      env: { PORT: "0", NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const process = new ExampleProcess(child);
    process.origin = await process.#listening.promise;
    return process;
  }

  /** Returns a browser: it keeps cookies. */
  browser(): TestBrowser {
    return new TestBrowser((request) => fetch(request), this.origin);
  }

  /** Opens a socket as a page of the example would. */
  open(path: string, browser: TestBrowser = this.browser()): Promise<WsClient> {
    return WsClient.connect(this.origin.replace("http", "ws") + path, {
      protocols: ["sluice.v1"],
      headers: { origin: this.origin, cookie: browser.cookieHeader },
    });
  }

  /** Stops it as a terminal or a supervisor does; returns its exit code. */
  async stop(): Promise<number> {
    try {
      this.#child.kill("SIGTERM");
    } catch { /* it has ended */ }
    const { code } = await this.#child.status;
    await this.#output;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr += text;
      const [, origin] = /Listening on (http:\/\/[^\s/]+)/.exec(this.#stderr) ?? [];
      if (origin !== undefined) this.#listening.resolve(origin);
    }
    this.#listening.reject(new Error(`It ended before it listened:\n${this.#stderr}`));
    this.#listening.promise.catch(() => {});
  }
}
