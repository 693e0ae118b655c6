import { fileURLToPath } from "node:url";
import { TestBrowser } from "../app/test_app.ts";
import { WsClient } from "../e2e/ws_client.ts";
import { ServerProcess } from "./server_process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A single file of `examples/` in a process of its own, on a free port. */
export class ExampleProcess implements AsyncDisposable {
  readonly #process: ServerProcess;

  private constructor(process: ServerProcess) {
    this.#process = process;
  }

  /** Starts `examples/NAME.ts` as its first line says, and waits until it listens. */
  static async start(name: string): Promise<ExampleProcess> {
    const args = ["run", "-A", `examples/${name}.ts`];
    return new ExampleProcess(await ServerProcess.start({ args, cwd: ROOT }));
  }

  get origin(): string {
    return this.#process.origin;
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
  stop(): Promise<number> {
    return this.#process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
