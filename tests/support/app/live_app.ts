import { TestApp } from "./test_app.ts";
import { HttpBrowser } from "./http_browser.ts";
import type { ServiceOptions } from "../../../app/services.ts";
import type { Environment } from "../../../app/settings/settings.ts";
import { WsClient } from "./ws_client.ts";

/** The whole app in this process, on a free loopback port. */
export class LiveApp implements AsyncDisposable {
  readonly app: TestApp;
  readonly origin: string;
  readonly #stop: AbortController;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(
    app: TestApp,
    server: Deno.HttpServer<Deno.NetAddr>,
    stop: AbortController,
  ) {
    this.#stop = stop;
    this.app = app;
    this.#server = server;
    this.origin = `http://127.0.0.1:${server.addr.port}`;
  }

  static async start(env: Environment = {}, options: ServiceOptions = {}): Promise<LiveApp> {
    const app = await TestApp.create(env, options);
    const stop = new AbortController();
    const server = Deno.serve({
      port: 0,
      hostname: "127.0.0.1",
      signal: stop.signal,
      onListen() {},
    }, app.handle);
    return new LiveApp(app, server, stop);
  }

  /** Signs in as a user, and returns the browser's cookies. */
  async signIn(login: string): Promise<HttpBrowser> {
    const browser = this.browser();
    await browser.signIn(login);
    return browser;
  }

  /** Returns a browser without a session. */
  browser(): HttpBrowser {
    return new HttpBrowser((request) => fetch(request), this.origin);
  }

  /** Opens a socket with a browser's cookies, like its page. */
  open(
    path: string,
    browser: HttpBrowser,
    options: { headers?: Record<string, string>; protocols?: string[] } = {},
  ): Promise<WsClient> {
    return WsClient.connect(this.origin.replace("http", "ws") + path, {
      protocols: options.protocols ?? ["sluice.v1"],
      headers: { origin: this.origin, cookie: browser.cookieHeader, ...options.headers },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.app.services.realtime.endAll(1001, "the test is over");
    // A shutdown would wait forever for a peer that disappeared before its 101.
    this.#stop.abort();
    await this.#server.finished;
    await this.app[Symbol.asyncDispose]();
  }
}
