/**
 * Counts the files of `lib/` that a path enters: an upgrade, a message to a group, the end of a
 * session. Run it with `deno task hops [-v]`; `-v` lists the files. With the address of a Redis in
 * `HOPS_REDIS`, a message over Redis is counted, too.
 *
 * Each path runs three times, while another user has a socket, against a real server on loopback. Before the last time, the counters
 * of V8's precise coverage are reset; a file counts if at least one of its functions is called
 * afterwards. The clock of the services stands still, so that none of their timers adds files.
 *
 * @module
 */
import type { Profiler } from "node:inspector";
import { Session } from "node:inspector/promises";
import process from "node:process";
import {
  Consumer,
  type Handler,
  layer,
  MemoryChannelLayer,
  origins,
  requireUser,
  route,
  session,
  Sessions,
  stack,
  toHandler,
  user,
} from "@sluice/sluice";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";
import type { ChannelLayer } from "@sluice/sluice/layers";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { sessionCookie } from "@sluice/sluice/sessions";
import { KvControlLog } from "../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../lib/sessions/kv_session_store.ts";
import { RevocationBroadcast } from "../lib/sessions/revocation/revocation_broadcast.ts";
import { FakeClock, settle } from "@sluice/sluice/testing";
import { createServices } from "../app/services.ts";
import { readSettings } from "../app/settings/settings.ts";
import type { Site } from "../app/site.ts";
import { composeSite } from "../main.ts";

const LIB = new URL("../lib/", import.meta.url).href;
const RUNS = 3;
const LIMIT_MS = 10_000;
const log = { debug() {}, info() {}, warn() {}, error() {} };

/** Records which files of `lib/` have functions that are called. */
class Coverage {
  readonly #inspector = new Session();

  async start(): Promise<void> {
    this.#inspector.connect();
    await this.#inspector.post("Profiler.enable");
    const options = { callCount: true, detailed: false };
    await this.#inspector.post("Profiler.startPreciseCoverage", options);
  }

  /** Returns the files with calls since the last time, as paths below `lib/`. */
  async take(): Promise<string[]> {
    const { result } = await this.#inspector.post("Profiler.takePreciseCoverage");
    return result.filter(isEntered).map(({ url }) => url.slice(LIB.length)).sort();
  }
}

function isEntered({ url, functions }: Profiler.ScriptCoverage): boolean {
  if (!url.startsWith(LIB) || url.startsWith(`${LIB}testing/`)) return false;
  return functions.some(({ ranges }) => ranges[0]!.count > 0);
}

/** A connection that does nothing: `sessions.end()` is counted without the server's part. */
class IdleConnection {
  readonly id = "idle";
  readonly phase = "open";
  readonly lastReceivedAt = 0;
  readonly ended = Promise.withResolvers<void>();
  refuse() {}
  onEnd() {}
  offEnd() {}
  end() {
    this.ended.resolve();
  }
}

/** A signed-in browser and the servers that it talks to. */
class Stage {
  readonly services: Site;
  readonly clock = new FakeClock();
  readonly #servers: Deno.HttpServer<Deno.NetAddr>[] = [];

  constructor() {
    const settings = readSettings({ DENO_KV_PATH: ":memory:", DEV_AUTH: "on" });
    this.services = composeSite(createServices(settings, { log, clock: this.clock }));
  }

  /** Serves a handler on loopback, and returns the address of a path. */
  serve(handler: Handler): (path: string) => string {
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
    this.#servers.push(server);
    return (path) => `http://127.0.0.1:${server.addr.port}${path}`;
  }

  /** Signs a user in; returns the id of the session and its cookie. */
  async signIn(subject = "ada"): Promise<{ id: string; cookie: string }> {
    const { users, sessions } = this.services;
    const facts = { login: subject, name: subject, avatarUrl: undefined };
    const { id: userId } = await users.save({ provider: "dev", subject, ...facts });
    const { session, token } = await sessions.create({ userId, provider: "dev" });
    const cookie = sessionCookie(token, { secure: false, maxAgeSeconds: 60 }).split(";")[0]!;
    return { id: session.id, cookie };
  }

  /** Lets the poller of the control log run, so that reads may be cached. */
  async pass(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await settle();
    await this.clock.advance(250);
    for (let turn = 0; turn < 20; turn++) await settle();
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.shutdown()));
    await this.services.close();
  }
}

/** A consumer that a test reaches from outside. */
class RoomConsumer extends Consumer {
  static last: RoomConsumer | undefined;
  override get groups() {
    return ["room"];
  }
  override async connect() {
    await this.accept();
    RoomConsumer.last = this;
  }
  override event(message: { readonly data?: unknown }) {
    this.send(String(message.data));
  }
}

async function open(url: string, cookie: string): Promise<WebSocket> {
  // The types of Deno and of the DOM know no headers.
  const withHeaders = { headers: { cookie, origin: new URL(url).origin } } as unknown as string[];
  const socket = new WebSocket(url.replace("http", "ws"), withHeaders);
  await once(socket, "open");
  return socket;
}

function once(target: EventTarget, type: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    target.addEventListener(type, resolve, { once: true });
    target.addEventListener("error", () => reject(new Error(`no "${type}"`)), { once: true });
  });
}

async function close(socket: WebSocket): Promise<void> {
  const closed = once(socket, "close");
  socket.close();
  await closed;
}

/** One path: prepares, acts while the calls are counted, and cleans up. */
type Path = (
  stage: Stage,
) => Promise<{ prepare?(): Promise<void>; act(): Promise<void>; after(): Promise<void> }>;

const upgrade: Path = async (stage) => {
  const at = stage.serve(stage.services.realtime);
  await open(at("/ws/echo"), (await stage.signIn("grace")).cookie);
  const { cookie } = await stage.signIn();
  let socket: WebSocket;
  return {
    act: async () => void (socket = await open(at("/ws/echo"), cookie)),
    after: () => close(socket),
  };
};

function groupSend(channelLayer: () => ChannelLayer): Path {
  return async (stage) => {
    const { sessions, users } = stage.services;
    const application = stack()
      .use(origins())
      .use(session(sessions))
      .use(user(users))
      .use(requireUser())
      .use(layer(channelLayer()))
      .routes([route("/", RoomConsumer)]);
    const at = stage.serve(toHandler(application, { log }));
    const socket = await open(at("/"), (await stage.signIn()).cookie);
    return {
      act: async () => {
        const received = once(socket, "message");
        await RoomConsumer.last!.groupSend("room", { type: "said", data: "hello" });
        await received;
      },
      after: () => Promise.resolve(),
    };
  };
}

const signOut: Path = async (stage) => {
  const { sessions } = stage.services;
  new RevocationBroadcast(sessions, new MemoryChannelLayer()).connect();
  const at = stage.serve(stage.services.realtime);
  await open(at("/ws/echo"), (await stage.signIn("grace")).cookie);
  let session: { id: string; cookie: string };
  let socket: WebSocket;
  return {
    prepare: async () => {
      session = await stage.signIn();
      socket = await open(at("/ws/echo"), session.cookie);
    },
    act: async () => {
      const closed = once(socket, "close");
      await sessions.end(session.id, "signed-out");
      await closed;
    },
    after: () => Promise.resolve(),
  };
};

/** The part of the path in `lib/sessions` and below: a database, a log, a layer, one connection. */
const end: Path = async () => {
  const kv = new DenoKeyValue(await Deno.openKv(":memory:"));
  const controlLog = new KvControlLog(kv);
  const clock = new FakeClock();
  const store = new KvSessionStore(kv, { clock, controlLog });
  const sessions = new Sessions(store, { clock, controlLog, log });
  new RevocationBroadcast(sessions, new MemoryChannelLayer()).connect();
  const connect = async (userId: string) => {
    const { session } = await sessions.create({ userId, provider: "dev" });
    const connection = new IdleConnection();
    sessions.connections.subscribe(session.id, connection);
    sessions.connections.track(session);
    return { id: session.id, ended: connection.ended.promise };
  };
  await connect("grace");
  let ada: { id: string; ended: Promise<void> };
  return {
    prepare: async () => void (ada = await connect("ada")),
    act: async () => {
      await sessions.end(ada.id, "signed-out");
      await ada.ended;
    },
    after: () => Promise.resolve(),
  };
};

async function count(path: Path): Promise<string[]> {
  const stage = new Stage();
  const { prepare, act, after } = await path(stage);
  let files: string[] = [];
  for (let run = 0; run < RUNS; run++) {
    await prepare?.();
    await stage.pass();
    await coverage.take();
    await act();
    for (let turn = 0; turn < 5; turn++) await settle();
    files = await coverage.take();
    await after();
  }
  await stage.close();
  return files;
}

/** Returns the number of files in each folder of `lib/`, the largest first. */
function byFolder(files: readonly string[]): string {
  const counts = Map.groupBy(files, (file) => file.split("/")[0]!);
  const sorted = [...counts].sort(([, a], [, b]) => b.length - a.length);
  return sorted.map(([folder, { length }]) => `${folder} ${length}`).join(", ");
}

const redis = Deno.env.get("HOPS_REDIS");
const paths: readonly (readonly [name: string, path: Path])[] = [
  ["upgrade of a known session", upgrade],
  ["groupSend() to send(), memory layer", groupSend(() => new MemoryChannelLayer())],
  ...redis === undefined ? [] : [
    ["groupSend() to send(), Redis layer", groupSend(() => new RedisChannelLayer(redis))] as const,
  ],
  ["Sessions.end() to Connection.end()", end],
  ["end of a session to the end of its socket", signOut],
];

const timer = setTimeout(() => {
  console.error(`not finished within ${LIMIT_MS} ms`);
  process.exit(1);
}, LIMIT_MS);
const coverage = new Coverage();
await coverage.start();
for (const [name, path] of paths) {
  const files = await count(path);
  console.log(`${files.length} files: ${name} (${byFolder(files)})`);
  if (process.argv.includes("-v")) { for (const file of files) console.log(`  ${file}`); }
}
clearTimeout(timer);
process.exit(0);
