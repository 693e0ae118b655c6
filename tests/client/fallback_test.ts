import { test } from "node:test";
import assert from "node:assert/strict";
import { connect, type ConnectOptions } from "@sluice/sluice/client";
import { FakeEnvironment, problem, settled } from "../support/client/fake_environment.ts";

type Posted = { readonly body: string; readonly init: RequestInit };

/** A server that answers plain HTTP: the test writes the events of its responses. */
class FakeServer extends FakeEnvironment {
  /** The answer to a `GET`: 426 if an upgrade would be accepted. */
  why = () => problem(426, "UPGRADE_REQUIRED");
  /** The answer to posted messages. */
  taken = () => new Response(null, { status: 204 });
  /** The answer to the request for an event stream, if it is refused. */
  refusal: (() => Response) | undefined;
  readonly posts: Posted[] = [];
  streams = 0;
  #events!: ReadableStreamDefaultController<Uint8Array>;

  override readonly fetch = (_url: string, init: RequestInit): Promise<Response> => {
    if (init.signal?.aborted) return Promise.reject(init.signal.reason);
    if (init.method !== "POST") return Promise.resolve(this.why());
    const accept = new Headers(init.headers).get("accept");
    if (accept !== "text/event-stream") {
      return Promise.resolve(this.#take(init));
    }
    this.streams++;
    return Promise.resolve(this.refusal?.() ?? this.#stream());
  };

  /** Writes to the event stream. */
  async write(text: string): Promise<void> {
    this.#events.enqueue(new TextEncoder().encode(text));
    await settled();
  }

  /** The network cuts the event stream. */
  async cut(): Promise<void> {
    this.#events.error(new TypeError("network error"));
    await settled();
  }

  /** Answers pings, and records everything else. */
  #take(init: RequestInit): Response {
    const [id, ...lines] = String(init.body).split("\n");
    const isPing = (line: string) => line !== "" && JSON.parse(line).type === "ping";
    for (const ping of lines.filter(isPing)) {
      const reply = { type: "reply", id: JSON.parse(ping).id, ok: true };
      this.#events.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(reply)}\n\n`));
    }
    const rest = lines.filter((line) => !isPing(line));
    if (lines.length > 0 && rest.length === 0) return new Response(null, { status: 204 });
    this.posts.push({ body: [id, ...rest].join("\n"), init });
    return this.taken();
  }

  #stream(): Response {
    const body = new ReadableStream<Uint8Array>({
      start: (events) => void (this.#events = events),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }
}

function join(options: ConnectOptions = {}) {
  const environment = new FakeServer();
  const room = connect("/ws/chat/lobby", { environment, ...options });
  return { environment, room };
}

/** Lets the part that is loaded on demand arrive. */
async function loaded(): Promise<void> {
  await settled();
  await import("../../lib/client/link/_fallback.ts");
  await settled();
}

/** The proxy refuses the upgrade. */
async function fail(environment: FakeServer): Promise<void> {
  environment.socket.end();
  await settled();
  await environment.pass(1_000);
  await loaded();
}

async function joinOverHttp(options: ConnectOptions = {}) {
  const joined = join(options);
  await fail(joined.environment);
  await fail(joined.environment);
  await joined.environment.write("event: open\ndata: the-id\n\n");
  return joined;
}

test("two failed upgrades, while plain HTTP works, lead to an event stream", async () => {
  const { environment, room } = join();
  await fail(environment);
  assert.equal(environment.streams, 0);
  assert.equal(room.detail.transport, "websocket");
  await fail(environment);
  assert.deepEqual([environment.streams, environment.sockets.length], [1, 2]);
  await environment.write("event: open\nda");
  assert.equal(room.state, "reconnecting");
  await environment.write("ta: the-id\n\n");
  assert.deepEqual([room.state, room.detail.transport], ["live", "http"]);
  const heard: unknown[] = [];
  room.on("said", (data) => heard.push(data));
  await environment.write(
    ':\n\ndata: {"type":"said","data":1}\ndata: {"type":"said","data":2}\n\n',
  );
  assert.deepEqual(heard, [1, 2]);
});

test("messages are posted in order, one request at a time, with the id of the stream", async () => {
  const { environment, room } = await joinOverHttp();
  const before = environment.posts.length;
  room.send("say", 1);
  room.send("say", 2);
  room.send("say", 3);
  await settled();
  const posts = environment.posts.slice(before).map(({ body }) => body);
  assert.deepEqual(posts, [
    'the-id\n{"type":"say","data":1}',
    'the-id\n{"type":"say","data":2}\n{"type":"say","data":3}',
  ]);
  const { init } = environment.posts.at(-1)!;
  assert.deepEqual([init.credentials, init.redirect], ["include", "manual"]);
  assert.equal(new Headers(init.headers).get("content-type"), "text/plain");
});

test("a post over the rate limit is sent again; one with another outcome ends the connection", async () => {
  const { environment, room } = await joinOverHttp();
  environment.taken = () => problem(429, "TOO_MANY_ATTEMPTS", { "retry-after": "3" });
  const before = environment.posts.length;
  room.send("say", 1);
  await settled();
  await environment.pass(2_999);
  assert.equal(environment.posts.length, before + 1);
  environment.taken = () => new Response(null, { status: 204 });
  await environment.pass(1);
  assert.deepEqual(environment.posts.slice(before).map(({ body }) => body), [
    'the-id\n{"type":"say","data":1}',
    'the-id\n{"type":"say","data":1}',
  ]);
  assert.equal(room.state, "live");
  environment.taken = () => problem(503, "UNAVAILABLE");
  const request = assert.rejects(room.request("say", 2), { code: "DISCONNECTED", sent: true });
  await settled();
  await request;
  assert.equal(room.state, "reconnecting");
});

test("a client over HTTP shows a sign of life every 25 s", async () => {
  const { environment, room } = await joinOverHttp();
  const before = environment.posts.length;
  for (let second = 0; second < 100; second++) {
    await environment.write('data: {"type":"said","data":1}\n\n');
    await environment.pass(1_000);
  }
  assert.deepEqual(
    environment.posts.slice(before).map(({ body }) => body),
    Array(4).fill("the-id\n"),
  );
  assert.equal(room.state, "live");
});

test("the close event decides as a close code does; a cut stream is opened again", async () => {
  const over = await joinOverHttp();
  await over.environment.write("event: close\ndata: 4401 the session is over\n\n");
  assert.deepEqual([over.room.state, over.room.detail.code, over.room.detail.reason], [
    "signed-out",
    4401,
    "the session is over",
  ]);
  await over.environment.pass(3_600_000);
  assert.deepEqual([over.environment.streams, over.environment.timers], [1, 0]);

  const { environment, room } = await joinOverHttp();
  await environment.cut();
  assert.equal(room.state, "reconnecting");
  await environment.pass(2_000);
  await loaded();
  assert.deepEqual([environment.streams, environment.sockets.length], [2, 2]);
});

test("a client does not fall back if plain HTTP fails as well, or after a refusal", async () => {
  for (const why of [() => problem(503, "UNAVAILABLE"), () => new Response("<html>")]) {
    const { environment, room } = join();
    environment.why = why;
    for (let failure = 0; failure < 6; failure++) {
      environment.socket.end();
      await settled();
      await environment.pass(room.detail.retryInMs ?? 0);
    }
    await loaded();
    assert.equal(environment.streams, 0);
  }
  const { environment, room } = join();
  await fail(environment);
  environment.why = () => problem(401, "NOT_SIGNED_IN");
  await fail(environment);
  assert.equal(room.state, "signed-out");
  await environment.pass(3_600_000);
  await loaded();
  assert.deepEqual([environment.streams, environment.sockets.length], [0, 2]);
});

test("a refusal of the event stream is found out like that of a socket", async () => {
  const { environment, room } = join();
  await fail(environment);
  environment.refusal = () => problem(401, "SESSION_EXPIRED");
  environment.why = () => problem(426, "UPGRADE_REQUIRED");
  environment.socket.end();
  await settled();
  environment.why = () => problem(401, "SESSION_EXPIRED");
  await environment.pass(1_000);
  await loaded();
  assert.deepEqual([room.state, room.detail.code], ["signed-out", "SESSION_EXPIRED"]);
  await environment.pass(3_600_000);
  assert.deepEqual([environment.streams, environment.sockets.length], [1, 2]);
});

test("a proxy that swallows frames is found out within 10 s, twice", async () => {
  const { environment, room } = join();
  for (let attempt = 0; attempt < 2; attempt++) {
    environment.socket.answersPings = false;
    environment.socket.open();
    await environment.pass(10_100);
    await environment.pass(1_000);
  }
  await loaded();
  await environment.write("event: open\ndata: the-id\n\n");
  assert.deepEqual([room.state, room.detail.transport], ["live", "http"]);
});

test("a WebSocket is tried every few minutes and when online, until one answers", async () => {
  const { environment, room } = await joinOverHttp();
  const keepAlive = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10_000) {
      await environment.write('data: {"type":"said","data":1}\n\n');
      await environment.pass(10_000);
    }
  };
  await keepAlive(220_000);
  assert.equal(environment.sockets.length, 2);
  await keepAlive(10_000);
  assert.equal(environment.sockets.length, 3); // After 225 s.
  environment.socket.end();
  await settled();
  environment.fire("online");
  await settled();
  assert.equal(environment.sockets.length, 4);
  environment.fire("online"); // One at a time.
  await settled();
  assert.equal(environment.sockets.length, 4);
  const pending = room.request("say", 1);
  environment.socket.open();
  environment.socket.say({ type: "welcome" });
  await environment.pass(5_000);
  assert.deepEqual([room.detail.transport, environment.sockets.length], ["http", 4]);
  const { id } = JSON.parse(environment.posts.at(-1)!.body.split("\n")[1]!);
  await environment.write(`data: {"type":"reply","id":"${id}","ok":true,"data":7}\n\n`);
  assert.equal(await pending, 7);
  await environment.pass(1_000);
  assert.equal(environment.sockets.length, 5);
  environment.socket.open();
  assert.deepEqual([room.state, room.detail.transport], ["live", "websocket"]);
  room.close();
  assert.deepEqual([environment.timers, environment.listeners], [0, 0]);
});
