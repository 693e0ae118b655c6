import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../../app/settings/settings.ts";
import { PostgresServer } from "../postgres/postgres_server.ts";
import { RedisServer } from "../redis/redis_server.ts";
import { TcpProxy } from "../tcp_proxy.ts";
import { AppProcess } from "./app_process.ts";
import { HttpBrowser } from "./http_browser.ts";
import { WsClient } from "./ws_client.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Parts of the tree that a host does not need. */
const LEFT_OUT =
  /^(?:\.git|bench|dist|docs|examples|tests)(?:\/|$)|(?:^|\/)(?:node_modules|\.data)(?:\/|$)/;

/**
 * Two hosts with three processes of the app behind one address: each host has its own copy of the
 * app, and they share nothing but PostgreSQL and Redis.
 */
export class Hosts implements AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  /** The names at which the hosts reach PostgreSQL: that of the first, and that of the second. */
  readonly paths: readonly [TcpProxy, TcpProxy];
  readonly processes: readonly AppProcess[];
  /** The public address. */
  readonly origin: string;
  readonly #stack: AsyncDisposableStack;
  /** Opens a connection for each request, so that the next process answers it. */
  readonly #client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });

  private constructor(
    stack: AsyncDisposableStack,
    servers: Pick<Hosts, "postgres" | "redis" | "paths">,
    processes: readonly AppProcess[],
    origin: string,
  ) {
    this.#stack = stack;
    this.postgres = servers.postgres;
    this.redis = servers.redis;
    this.paths = servers.paths;
    this.processes = processes;
    this.origin = origin;
  }

  /** Starts the servers and the processes. The app has been built. */
  static async start(env: Environment = {}): Promise<Hosts> {
    await using stack = new AsyncDisposableStack();
    const [postgres, redis] = await Promise.all([PostgresServer.start(), RedisServer.start()]);
    stack.use(postgres);
    stack.use(redis);
    const [here, there] = [
      stack.use(await TcpProxy.open(postgres.port)),
      stack.use(await TcpProxy.open(postgres.port)),
    ];
    const balancer = stack.use(await TcpProxy.open());
    const [one, other] = [await copyTree(stack), await copyTree(stack)];
    const settings: Environment = {
      PUBLIC_URL: balancer.origin,
      DEV_SIGN_IN: "on",
      CHANNEL_LAYER: redis.url,
      ...env,
    };
    const start = async (root: string, port: number) => {
      const own = { ...settings, DATABASE_URL: postgres.url(undefined, port) };
      return stack.use(await AppProcess.start(own, "serve", [], root));
    };
    const processes = [
      await start(one, here.port),
      await start(other, there.port),
      await start(other, there.port),
    ];
    balancer.move(...processes.map(({ origin }) => Number(new URL(origin).port)));
    const servers = { postgres, redis, paths: [here, there] } as const;
    return new Hosts(stack.move(), servers, processes, balancer.origin);
  }

  /** Returns a browser whose requests go to the processes in turn. */
  browser(): HttpBrowser {
    return new HttpBrowser((request) => fetch(request, { client: this.#client }), this.origin);
  }

  /** Signs a user in; each step is answered by another process. */
  async signIn(login: string): Promise<HttpBrowser> {
    const browser = this.browser();
    await browser.signIn(login);
    return browser;
  }

  /** Signs a browser out at a process, and returns the status. */
  async signOut(browser: HttpBrowser, { origin }: AppProcess): Promise<number> {
    const headers = {
      cookie: browser.cookieHeader,
      origin: this.origin,
      accept: "application/json",
    };
    const response = await fetch(`${origin}/auth/signout`, { method: "POST", headers });
    await response.body?.cancel();
    return response.status;
  }

  /** Opens a socket at a process. */
  open(
    { origin }: AppProcess,
    path: string,
    { browser, protocols = [] }: { browser?: HttpBrowser; protocols?: readonly string[] },
  ): Promise<WsClient> {
    return WsClient.connect(origin.replace("http", "ws") + path, {
      protocols: ["sluice.v1", ...protocols],
      headers: { origin: this.origin, ...(browser && { cookie: browser.cookieHeader }) },
    });
  }

  /** Opens a socket of one browser at each process, in a room. */
  enterEverywhere(browser: HttpBrowser, room: string): Promise<WsClient[]> {
    return Promise.all(this.processes.map(async (process) => {
      const socket = await this.open(process, `/ws/chat/${room}`, { browser });
      await socket.frame("welcome");
      return socket;
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.#stack.disposeAsync();
  }
}

async function copyTree(stack: AsyncDisposableStack): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "sluice-host-"));
  stack.defer(() => rm(root, { recursive: true, force: true }));
  const filter = (source: string) => !LEFT_OUT.test(relative(ROOT, source));
  await cp(ROOT, root, { recursive: true, filter });
  return root;
}
