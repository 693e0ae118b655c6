import { test } from "node:test";
import assert from "node:assert/strict";
import * as v from "valibot";
import {
  allowAnonymous,
  defineMessages,
  FrameError,
  type HandlersOf,
  JsonConsumer,
  layer,
  type LayerScope,
  origins,
  route,
  stack,
  unchecked,
} from "@sluice/sluice";
import { connect, type ConnectOptions, type RealtimeSocket } from "@sluice/sluice/client";
import { MemoryChannelLayer } from "@sluice/sluice/layers";
import { MemoryStreamStore, streams, type StreamScope } from "@sluice/sluice/streams";
import { startServer } from "@sluice/sluice/testing";
import { BreakingProxy, type UpgradeMode } from "../support/breaking_proxy.ts";
import { silent } from "../support/silent_log.ts";

const line = v.object({ text: v.string() });

const messages = defineMessages({
  client: {
    say: { data: line, reply: unchecked<number>(), appends: "room" },
    whisper: { data: line },
    fail: { data: v.null(), reply: unchecked<null>() },
  },
  server: {
    welcome: unchecked<string>(),
    said: unchecked<string>(),
    whispered: unchecked<string>(),
  },
});

class Room extends JsonConsumer<typeof messages, LayerScope & StreamScope> {
  readonly messages = messages;
  readonly handlers: HandlersOf<Room> = {
    async say({ text }) {
      const reply = text.length;
      await this.append("room", { type: "said", data: text }, { reply });
      return reply;
    },
    async whisper({ text }) {
      await this.groupSend("whispers", { type: "whispered", data: text });
    },
    fail() {
      throw new FrameError("FORBIDDEN", "Not you");
    },
  };

  override get groups() {
    return ["whispers"];
  }

  override get streams() {
    return { room: "room" };
  }

  override async connect() {
    await this.accept();
    this.sendJson({ type: "welcome", data: "hello" });
  }
}

type Socket = RealtimeSocket<typeof messages>;

/** A server with a room, and a proxy in front of it. */
async function serve(mode: UpgradeMode) {
  const application = stack()
    .use(origins())
    .use(allowAnonymous())
    .use(layer(new MemoryChannelLayer()))
    .use(streams(new MemoryStreamStore()))
    .routes([route("/ws/room", Room)]);
  const server = startServer(application, { log: silent });
  const proxy = await BreakingProxy.start(server.url);
  proxy.mode = mode;
  const sockets: Socket[] = [];
  return {
    server,
    proxy,
    /** Opens a socket through the proxy. */
    open(options: ConnectOptions = {}): Socket {
      const environment = { ...withOrigin(proxy.url), ...options.environment };
      const socket = connect<typeof messages>(`${proxy.url}/ws/room`, {
        baseDelayMs: 100,
        ...options,
        environment,
      });
      sockets.push(socket);
      return socket;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.close();
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Sends the `Origin` that a browser would send. */
function withOrigin(origin: string): NonNullable<ConnectOptions["environment"]> {
  return {
    WebSocket: class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, { protocols, headers: { origin } } as unknown as string[]);
      }
    },
    fetch(url, init) {
      const headers = new Headers(init.headers);
      headers.set("origin", origin);
      return fetch(url, { ...init, headers });
    },
  };
}

/** Resolves when the socket shows a state that passes. */
function until(socket: Socket, isWanted: (socket: Socket) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = socket.onState(check);
    check();
    function check() {
      if (!isWanted(socket)) return;
      resolve();
      queueMicrotask(() => stop());
    }
  });
}

const isLive = ({ state }: Socket) => state === "live";
const isOver = (transport: string) => (socket: Socket) =>
  isLive(socket) && socket.detail.transport === transport;

/** Resolves to the first `count` values that `listen` passes on. */
function collect<T>(count: number, listen: (add: (value: T) => void) => unknown): Promise<T[]> {
  return new Promise((resolve) => {
    const values: T[] = [];
    listen((value) => values.push(value) === count && resolve(values));
  });
}

const TRANSPORTS: [transport: "websocket" | "http", mode: UpgradeMode][] = [
  ["websocket", "pass"],
  ["http", "refuse"],
];

for (const [transport, mode] of TRANSPORTS) {
  test(`over ${transport}: a consumer greets, replies, refuses, and sends to groups`, async () => {
    await using room = await serve(mode);
    const socket = room.open();
    const [greeting] = await collect<string>(1, (add) => socket.on("welcome", add));
    assert.equal(greeting, "hello");
    assert.equal(socket.detail.transport, transport);
    assert.equal(await socket.request("say", { text: "one\ntwo" }), 7);
    const [said] = await Promise.all([
      collect<string>(1, (add) => socket.on("said", add)),
      socket.request("say", { text: "line\u2028\u2029\r\n line" }),
    ]);
    assert.deepEqual(said, ["line\u2028\u2029\r\n line"]);
    await assert.rejects(socket.request("fail", null), { code: "FORBIDDEN", message: "Not you" });
    const other = room.open();
    await until(other, isLive);
    const whispers = collect<string>(50, (add) => other.on("whispered", add));
    const texts = Array.from({ length: 50 }, (_, index) => `whisper ${index}`);
    for (const text of texts) socket.send("whisper", { text });
    assert.deepEqual(await whispers, texts);
  });

  test(`over ${transport}: messages of a stream arrive once and in order across cuts`, async () => {
    await using room = await serve(mode);
    const reader = room.open();
    const writer = room.open();
    await Promise.all([until(reader, isLive), until(writer, isLive)]);
    const texts = Array.from({ length: 20 }, (_, index) => `message ${index}`);
    const heard = collect<string>(texts.length, (add) => reader.on("said", add));
    for (const [index, text] of texts.entries()) {
      if (index % 10 === 5) room.proxy.cut();
      assert.equal(await writer.request("say", { text }, { once: true }), text.length);
    }
    assert.deepEqual(await heard, texts);
    assert.deepEqual(reader.detail.transport, transport);
  });

  test(`over ${transport}: the server's close code ends the connection`, async () => {
    await using room = await serve(mode);
    const socket = room.open();
    await until(socket, isLive);
    room.server.handler.endAll(4403, "permission withdrawn");
    await until(socket, ({ state }) => state === "refused");
    assert.deepEqual([socket.detail.code, socket.detail.reason], [4403, "permission withdrawn"]);
  });
}

test("a client falls back to plain HTTP behind a proxy that opens sockets and cuts them", async () => {
  await using room = await serve("cut");
  const socket = room.open();
  await until(socket, isOver("http"));
  assert.equal(await socket.request("say", { text: "four" }), 4);
  assert.equal(room.proxy.upgrades, 2);
});

test("a client returns to a WebSocket once one works, without loss or repeats", async () => {
  await using room = await serve("refuse");
  const online = new Set<() => void>();
  const listen = (change: string, callback: () => void) => {
    if (change === "online") online.add(callback);
    return () => void online.delete(callback);
  };
  const socket = room.open({ environment: { listen } });
  await until(socket, isOver("http"));
  const texts = Array.from({ length: 30 }, (_, index) => `message ${index}`);
  const heard = collect<string>(1 + texts.length, (add) => socket.on("said", add));
  const send = async () => {
    for (const text of texts) await socket.request("say", { text }, { once: true });
  };
  for (const callback of [...online]) callback(); // Still broken: it stays.
  await socket.request("say", { text: "" }, { once: true });
  assert.equal(socket.detail.transport, "http");
  room.proxy.mode = "pass";
  const returned = until(socket, isOver("websocket"));
  for (const callback of [...online]) callback();
  await Promise.all([send(), returned]);
  assert.deepEqual(await heard, ["", ...texts]);
});
