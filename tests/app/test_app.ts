import { Builder } from "fresh/dev";
import { createLog } from "@sluice/sluice/server";
import { parseCookies } from "@sluice/sluice/protocol";
import { metricsOf, renderMetrics } from "../../app/process/metrics.ts";
import { createServices, type ServiceOptions, type Services } from "../../app/services.ts";
import { type Environment, readSettings } from "../../app/settings/settings.ts";
import { createApp } from "../../main.ts";
import { assertNoSecrets } from "../../tools/test/secrets.ts";

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
  readonly services: Services;
  readonly origin: string = "http://127.0.0.1:8000";
  /** Handles a request, as a server calls it. */
  readonly handle: Handle;
  readonly #logged: readonly string[];

  private constructor(services: Services, handle: Handle, logged: readonly string[]) {
    this.services = services;
    this.handle = handle;
    this.#logged = logged;
  }

  /** Creates an app with the settings of an environment. */
  static async create(env: Environment = {}, options: ServiceOptions = {}): Promise<TestApp> {
    const settings = readSettings({ DENO_KV_PATH: ":memory:", ...env });
    const logged: string[] = [];
    const log = createLog({ level: "debug", format: "json", write: (line) => logged.push(line) });
    const services = createServices(settings, { log, ...options });
    const app = createApp(() => services);
    await applySnapshot(app);
    return new TestApp(services, app.handler(), logged);
  }

  /** Returns a browser with a cookie jar. With a public origin, its requests come through a proxy. */
  browser(publicOrigin: string = this.origin): TestBrowser {
    return new TestBrowser((request) => {
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

/** Sends requests as a browser does, with its cookies. */
export class TestBrowser {
  readonly #fetch: (request: Request) => Promise<Response>;
  readonly #origin: string;
  readonly cookies: Map<string, string> = new Map();

  constructor(fetch: (request: Request) => Promise<Response>, origin: string) {
    this.#fetch = fetch;
    this.#origin = origin;
  }

  get cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** Sends one request without following redirects. */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0) headers.set("cookie", this.cookieHeader);
    const request = new Request(new URL(path, this.#origin), {
      redirect: "manual",
      ...init,
      headers,
    });
    const response = await this.#fetch(request);
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    return response;
  }

  /** Sends a request and follows redirects on this site. */
  async visit(path: string): Promise<Response> {
    let response = await this.request(path);
    for (let hops = 0; hops < 20 && isRedirect(response); hops++) {
      await response.body?.cancel();
      response = await this.request(response.headers.get("location")!);
    }
    return response;
  }

  /** Signs in through the development provider. */
  async signIn(login: string): Promise<void> {
    const response = await this.visit(
      `/auth/signin?provider=dev&login_hint=${login}&return_to=/api/me`,
    );
    if (response.status !== 200) throw new Error(`Sign-in ended with ${response.status}`);
    await response.body?.cancel();
  }

  #keep(cookie: string): void {
    const [pair = "", ...attributes] = cookie.split(";");
    const [[name, value] = ["", ""]] = parseCookies(pair);
    const isOver = attributes.some((attribute) => /^\s*max-age=0$/i.test(attribute));
    if (isOver || value === "") this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

function isRedirect(response: Response): boolean {
  return [301, 302, 303, 307].includes(response.status);
}
