import { fileURLToPath } from "node:url";
import { HttpBrowser } from "../app/http_browser.ts";
import { WsClient } from "../app/ws_client.ts";
import { ServerProcess } from "./server_process.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** One file of `examples/` in its own process, on a free port. */
export class ExampleProcess implements AsyncDisposable {
  readonly #process: ServerProcess;

  private constructor(process: ServerProcess) {
    this.#process = process;
  }

  /** Starts `examples/NAME.ts` with the command in its first line, and waits until it listens. */
  static async start(name: string): Promise<ExampleProcess> {
    const args = ["run", "-A", `examples/${name}.ts`];
    return new ExampleProcess(await ServerProcess.start({ args, cwd: ROOT }));
  }

  get origin(): string {
    return this.#process.origin;
  }

  /** Returns a browser, which keeps cookies. */
  browser(): HttpBrowser {
    return new HttpBrowser((request) => fetch(request), this.origin);
  }

  /** Opens a socket like a page of the example. */
  open(path: string, browser: HttpBrowser = this.browser()): Promise<WsClient> {
    return WsClient.connect(this.origin.replace("http", "ws") + path, {
      protocols: ["sluice.v1"],
      headers: { origin: this.origin, cookie: browser.cookieHeader },
    });
  }

  /** Stops it like a terminal or a supervisor; returns its exit code. */
  stop(): Promise<number> {
    return this.#process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
