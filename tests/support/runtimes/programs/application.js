// The application that every runtime serves in tests/runtimes: plain JavaScript, with the installed
// package. A runtime's own program starts it.
import { MemoryUserStore, requireUser, user } from "@sluice/sluice/auth";
import { Consumer, HttpConsumer, JsonConsumer } from "@sluice/sluice/consumers";
import { layer, MemoryChannelLayer } from "@sluice/sluice/layers";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import { route, stack, withRootPath } from "@sluice/sluice/routing";
import { origins, socketLimits } from "@sluice/sluice/security";
import { createLog, readBody, toHandler } from "@sluice/sluice/server";
import {
  ExternalSessions,
  MemorySessionStore,
  session,
  sessionCookie,
  Sessions,
} from "@sluice/sluice/sessions";

const log = createLog({ level: "warn" });
const users = new MemoryUserStore();
const sessions = new Sessions(new MemorySessionStore(), { log });
const counts = { aborted: 0, ended: 0, endCodes: [] };

class Echo extends Consumer {
  receive(data) {
    if (data === "throw") throw new Error("a bug");
    if (data === "address?") return void this.send(this.scope.address);
    if (data === "header?") return void this.send(this.scope.headers.get("user-agent") ?? "none");
    this.send(data);
  }
  disconnect(code) {
    counts.ended++;
    counts.endCodes.push(code);
  }
}

/** A schema (https://standardschema.dev) that accepts everything. */
const anything = {
  "~standard": { version: 1, vendor: "tests", validate: (value) => ({ value }) },
};

const messages = defineMessages({
  client: {
    say: { data: anything },
    fail: { data: anything },
    flood: { data: anything },
  },
  server: { said: unchecked() },
});

class Chat extends JsonConsumer {
  messages = messages;
  handlers = {
    async say({ text }) {
      await this.groupSend(this.groups[0], { type: "said", data: { text } });
      return { length: text.length };
    },
    fail() {
      throw new Error("a bug");
    },
    flood({ count, bytes }) {
      const text = "x".repeat(bytes);
      for (let n = 0; n < count; n++) this.sendJson({ type: "said", data: { text } });
    },
  };
  get groups() {
    return [`chat.${this.scope.params.room}`];
  }
}

class Slow extends Consumer {
  async connect() {
    await new Promise((resolve) => setTimeout(resolve, 200));
    this.accept();
  }
  receive(data) {
    this.send(data);
  }
}

class Part extends HttpConsumer {
  async handle() {
    this.sendHeaders({ headers: { "content-type": "text/plain" } });
    await this.sendBody("first\n", { more: true });
    if (this.scope.query.has("endless")) return;
    await this.sendBody("last\n");
  }
  disconnect(code) {
    counts.endCodes.push(code);
  }
}

class Large extends HttpConsumer {
  async handle() {
    const part = new Uint8Array(65_536).fill(97);
    this.sendHeaders();
    for (let n = 0; n < 63; n++) await this.sendBody(part, { more: true });
    await this.sendBody(part);
  }
}

const routes = [
  route("/ws/echo", Echo),
  route("/ws/chat/:room{slug}", Chat),
  route("/ws/slow", Slow),
  route("/ws/part", Part),
  route("/ws/large", Large),
];

const gate = () =>
  stack()
    .use(origins(["https://elsewhere.example"]))
    .use(session(sessions))
    .use(user(users))
    .use(requireUser())
    .use(socketLimits({ perUser: 5 }))
    .use(layer(channelLayer));

const channelLayer = new MemoryChannelLayer();
const settings = {
  log,
  limits: {
    maxMessageBytes: 65_536,
    messagesPerSecond: 50,
    messageBurst: 100,
    sendBufferBytes: 1_048_576,
  },
};

/** Serves `/ws/…`, and the same below `/prefix`. */
export const realtime = toHandler(gate().routes(routes), settings);
const prefixed = toHandler(
  gate().around(withRootPath("/prefix", gate().routes(routes))),
  settings,
);

/** Sessions of the application itself, by the value of its cookie. */
const ownSessions = new Map();
const external = new ExternalSessions({
  identify: ({ headers }) => ownSessions.get(headers.get("cookie")),
  log,
});
const own = toHandler(
  stack().use(origins()).use(external.session()).use(requireUser()).routes([
    route("/own/echo", Echo),
    route("/own/part", Part),
  ]),
  settings,
);

const text = (body, init) => new Response(body, init);

const PAGES = {
  "/page": () => text("hello"),
  "/cookies": () =>
    text("", { headers: [["set-cookie", "a=1; Path=/"], ["set-cookie", "b=2; Path=/"]] }),
  "/empty": () => new Response(null, { status: 204 }),
  "/throw": () => {
    throw new Error("a bug");
  },
  "/stats": () => Response.json({ ...realtime.stats, refused: undefined, ...counts }),
  "/address": (_request, { remoteAddr }) => text(remoteAddr.hostname),
  "/url": (request) => text(request.url),
  async "/body"(request) {
    return text(String((await readBody(request, { maxBytes: 100_000, timeoutMs: 1_000 })).length));
  },
  "/unread": () => text("not read"),
  "/hang": (request) =>
    new Promise((resolve) => {
      request.signal.addEventListener("abort", () => {
        counts.aborted++;
        resolve(text("too late"));
      });
    }),
  async "/signin"(request) {
    const login = new URL(request.url).searchParams.get("as");
    const profile = { provider: "test", subject: login, login, name: login, avatarUrl: undefined };
    const saved = await users.save(profile);
    const { token, session } = await sessions.create({ userId: saved.id, provider: "test" });
    const cookie = sessionCookie(token, { secure: false, maxAgeSeconds: 3_600 });
    return Response.json({ id: session.id }, { headers: { "set-cookie": cookie } });
  },
  "/own-signin"(request) {
    const name = new URL(request.url).searchParams.get("as");
    const expiresAt = Date.now() + 3_600_000;
    const identity = { sessionId: `session of ${name}`, userId: name, expiresAt };
    ownSessions.set(`own=${name}`, identity);
    return Response.json({}, { headers: { "set-cookie": `own=${name}` } });
  },
  async "/own-signout"(request) {
    const ended = `session of ${new URL(request.url).searchParams.get("as")}`;
    return Response.json({ isPassedOn: await external.ended(ended) });
  },
  async "/signout"(request) {
    const ended = await sessions.end(new URL(request.url).searchParams.get("id"), "signed-out");
    return Response.json({ ended });
  },
};

/** Answers every request of the test server. */
export function handle(request, info) {
  const { pathname } = new URL(request.url);
  if (pathname.startsWith("/ws/")) return realtime(request, info);
  if (pathname.startsWith("/own/")) return own(request, info);
  if (pathname.startsWith("/prefix/")) return prefixed(request, info);
  return PAGES[pathname]?.(request, info) ?? text("no such page", { status: 404 });
}

/** Options of every runtime's `serve()`. */
export const options = {
  port: Number(globalThis.process?.env.PORT ?? 0),
  onListen: ({ hostname, port }) => console.log(`listening on http://${hostname}:${port}`),
  drain: () => realtime.drain(300),
  log,
};
