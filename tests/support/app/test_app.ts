import { Builder } from "fresh/dev";
import { createLog } from "@sluice/sluice/server";
import { metricsOf, renderMetrics } from "../../../app/process/metrics.ts";
import { createServices, type ServiceOptions } from "../../../app/services.ts";
import { type Environment, readSettings } from "../../../app/settings/settings.ts";
import type { Site } from "../../../app/site.ts";
import { composeSite, createApp } from "../../../main.ts";
import { assertNoSecrets } from "../../../tools/test/secrets.ts";
import { HttpBrowser } from "./http_browser.ts";

let snapshot: ReturnType<Builder["build"]> | undefined;

/** Loads the build into an app: once for all tests of a file. */
function applySnapshot(app: ReturnType<typeof createApp>): Promise<void> {
  snapshot ??= new Builder().build({ snapshot: "memory" });
  return snapshot.then((apply) => apply(app));
}

type Handle = (request: Request, info?: Deno.ServeHandlerInfo) => Promise<Response>;

const NOBODY: Deno.ServeHandlerInfo = {
  remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
  completed: Promise.resolve(),
};

/**
 * The whole app without a port, with a database in memory. At the end, its log, at `debug`, and its
 * metrics are searched for secrets.
 */
export class TestApp implements AsyncDisposable {
  readonly services: Site;
  readonly origin: string = "http://127.0.0.1:8000";
  /** Handles a request, as a server calls it. */
  readonly handle: Handle;
  readonly #logged: readonly string[];

  private constructor(services: Site, handle: Handle, logged: readonly string[]) {
    this.services = services;
    this.handle = handle;
    this.#logged = logged;
  }

  /** Creates an app with the settings of an environment. */
  static async create(env: Environment = {}, options: ServiceOptions = {}): Promise<TestApp> {
    const settings = readSettings({ DENO_KV_PATH: ":memory:", ...env });
    const logged: string[] = [];
    const log = createLog({ level: "debug", format: "json", write: (line) => logged.push(line) });
    const services = composeSite(createServices(settings, { log, ...options }));
    const app = createApp(() => services);
    await applySnapshot(app);
    return new TestApp(services, app.handler(), logged);
  }

  /** Returns a browser with a cookie jar. With a public origin, its requests come through a proxy. */
  browser(publicOrigin: string = this.origin): HttpBrowser {
    return new HttpBrowser((request) => {
      const { pathname, search } = new URL(request.url);
      const isProxied = publicOrigin !== this.origin;
      const passed = isProxied ? new Request(this.origin + pathname + search, request) : request;
      return this.handle(passed, NOBODY);
    }, publicOrigin);
  }

  /** @throws {Error} The log or a metric contains a secret. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.services.close();
    const text = [...this.#logged, renderMetrics(metricsOf(this.services))].join("\n");
    assertNoSecrets(text, "What the app logged, or its metrics,");
  }
}
