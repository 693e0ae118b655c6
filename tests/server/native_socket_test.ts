import type { ClientRequest } from "node:http";
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import { Consumer, JsonConsumer } from "@sluice/sluice/consumers";
import { defineMessages } from "@sluice/sluice/protocol";
import { route, router } from "@sluice/sluice/routing";
import { toHandler } from "@sluice/sluice/server";
import { FakeClock } from "@sluice/sluice/testing";
import { openStack } from "../support/open_stack.ts";
import { WsClient } from "../support/app/ws_client.ts";
import { RawClient, rawRequest } from "../support/raw_request.ts";
import { silent as log } from "../support/silent_log.ts";

const NO_MESSAGES = defineMessages({ client: {}, server: {} });

class Echo extends Consumer {
  static ends: { code: number; reason: string }[] = [];
  static ended: (() => void) | undefined;
  override receive(data: string | Uint8Array): void {
    if (data === "throw") throw new Error("bug");
    if (data === "host?") return void this.send(this.scope.headers.get("host") ?? "");
    this.send(data);
  }
  override disconnect(code: number, reason: string): void {
    Echo.ends.push({ code, reason });
    Echo.ended?.();
  }
}

function serve() {
  const handler = toHandler(openStack(router<Scope>([route("/ws/echo", Echo)])), { log });
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
  const url = `ws://127.0.0.1:${server.addr.port}/ws/echo`;
  return { handler, url, [Symbol.asyncDispose]: () => server.shutdown() };
}

test("a WebSocket client without the subprotocol gets its text and binary messages back", async () => {
  await using server = serve();
  using client = await WsClient.connect(server.url, { protocols: ["sluice.v1"] });
  assert.equal(client.socket.protocol, "sluice.v1");
  client.send("hello");
  assert.equal((await client.next()).text, "hello");
  client.send(new Uint8Array([1, 2, 3]));
  const binary = await client.next();
  assert.equal(binary.isBinary, true);
  assert.deepEqual([...binary.bytes], [1, 2, 3]);
});

test("a consumer that throws closes its own socket with 1011 and no other", async () => {
  await using server = serve();
  using victim = await WsClient.connect(server.url);
  using other = await WsClient.connect(server.url);
  victim.send("throw");
  assert.equal((await victim.closed).code, 1011);
  other.send("still here");
  assert.equal((await other.next()).text, "still here");
});

test("disconnect() runs once for a peer that vanishes without a close frame", async () => {
  await using server = serve();
  Echo.ends = [];
  const ended = new Promise<void>((resolve) => Echo.ended = resolve);
  const client = await WsClient.connect(server.url);
  client.socket.terminate();
  await ended;
  assert.deepEqual(Echo.ends.map(({ code }) => code), [1006]);
  assert.equal(server.handler.stats.open, 0);
});

test("subprotocols without a space between them do not break the upgrade", async () => {
  await using server = serve();
  using client = await WsClient.connect(server.url, {
    protocols: ["other", "sluice.v1"],
    finishRequest(request) {
      request.setHeader("Sec-WebSocket-Protocol", "other,sluice.v1");
      request.end();
    },
  });
  assert.equal(client.socket.protocol, "sluice.v1");
});

test("a consumer can read the request headers while the socket is open", async () => {
  await using server = serve();
  using client = await WsClient.connect(server.url);
  client.send("host?");
  assert.equal((await client.next()).text, new URL(server.url).host);
});

test("a peer that vanishes before the 101 is ended after openTimeoutMs and no longer counted", async () => {
  const clock = new FakeClock();
  const entered = Promise.withResolvers<void>();
  const decided = Promise.withResolvers<void>();
  class Slow extends Consumer {
    override async connect() {
      entered.resolve();
      await decided.promise;
      await this.accept();
    }
    override disconnect(code: number) {
      Echo.ends.push({ code, reason: "" });
    }
  }
  Echo.ends = [];
  const handler = toHandler(openStack(router<Scope>([route("/ws/slow", Slow)])), { log, clock });
  const stop = new AbortController();
  const answered = Promise.withResolvers<void>();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", signal: stop.signal, onListen() {} },
    async (request, info) => {
      const response = await handler(request, info);
      answered.resolve();
      return response;
    },
  );
  const request = Promise.withResolvers<ClientRequest>();
  WsClient.connect(`ws://127.0.0.1:${server.addr.port}/ws/slow`, {
    finishRequest(sent) {
      request.resolve(sent);
      sent.end();
    },
  }).catch(() => {});
  await entered.promise;
  (await request.promise).socket!.destroy();
  decided.resolve();
  await answered.promise;
  assert.equal(handler.stats.open, 1);
  await clock.advance(10_000);
  assert.equal(handler.stats.open, 0);
  assert.deepEqual(Echo.ends.map(({ code }) => code), [1006]);
  stop.abort();
  await server.finished;
});

test("a message larger than the limit closes the socket with 1009", async () => {
  await using server = serve();
  using client = await WsClient.connect(server.url);
  client.send("x".repeat(65_537));
  assert.equal((await client.closed).code, 1009);
});

const HANDSHAKE = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const UPGRADES: [headers: string, status: number][] = [
  ["Upgrade: websocket\r\nConnection: Upgrade", 101],
  ["Upgrade: websocket, h2c\r\nConnection: Upgrade", 101],
  ["Upgrade: h2c,WebSocket\r\nConnection: keep-alive, upgrade", 101],
  ["Upgrade: h2c\r\nUpgrade: \twebsocket\t\r\nConnection: Upgrade", 101],
  ["Upgrade: ,websocket,\r\nConnection: ,Upgrade,", 101],
  ["Upgrade: h2c\r\nConnection: Upgrade", 426],
  ["Upgrade: websockets\r\nConnection: Upgrade", 426],
  ["Upgrade: websocket/13\r\nConnection: Upgrade", 426],
  ["Upgrade: websocket h2c\r\nConnection: Upgrade", 426],
  ["Upgrade: websocket, h2c\r\nConnection: close", 400],
];
for (const [headers, expected] of UPGRADES) {
  test(`a handshake with ${JSON.stringify(headers)} is answered with ${expected}`, async () => {
    await using server = serve();
    const { status } = await rawRequest(
      server.url,
      `GET /ws/echo HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n${HANDSHAKE}\r\n`,
    );
    assert.equal(status, expected);
  });
}

test("a handshake without a Host is refused", async () => {
  await using server = serve();
  for (const version of ["HTTP/1.1", "HTTP/1.0"]) {
    const { status, text } = await rawRequest(
      server.url,
      `GET /ws/echo ${version}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${HANDSHAKE}\r\n`,
    );
    assert.equal(status, 400);
    assert.match(text, /BAD_HANDSHAKE/);
  }
});

test("Deno does not show a handler whether a request is HTTP/1.0 or 1.1, as docs/protocol.md says", async () => {
  const seen: string[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    seen.push(JSON.stringify([request.method, request.url, [...request.headers]]));
    return Deno.upgradeWebSocket(request).response;
  });
  for (const version of ["1.1", "1.0"]) {
    const { text } = await rawRequest(
      `http://127.0.0.1:${server.addr.port}`,
      `GET / HTTP/${version}\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${HANDSHAKE}\r\n`,
    );
    assert.ok(text.startsWith(`HTTP/${version} 101`), text);
  }
  assert.equal(seen.length, 2);
  assert.equal(seen[0], seen[1]);
});

/** A masked text frame of two bytes that are not UTF-8; the mask is zero. */
const NOT_UTF8 = new Uint8Array([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]);

test("Deno ends a socket without a close frame after invalid UTF-8, so 1007 cannot be sent", async () => {
  const ended = Promise.withResolvers<string>();
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onerror = (event) => {
      socket.close(1007, "not UTF-8");
      ended.resolve((event as ErrorEvent).message);
    };
    return response;
  });
  using client = new RawClient(`http://127.0.0.1:${server.addr.port}`);
  await client.write(
    `GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${HANDSHAKE}\r\n`,
  );
  await client.received();
  await client.write(NOT_UTF8);
  assert.equal(await ended.promise, "Invalid UTF-8");
  const { text } = await client.closed();
  assert.match(text, /\r\n\r\n$/, "no frame came after the 101");
});

test("text that is not UTF-8 ends its socket once, with 1006 for the consumer", async () => {
  await using server = serve();
  Echo.ends = [];
  const ended = new Promise<void>((resolve) => Echo.ended = resolve);
  using client = new RawClient(server.url);
  const upgrade = "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  await client.write(`GET /ws/echo HTTP/1.1\r\n${upgrade}${HANDSHAKE}\r\n`);
  await client.received();
  await client.write(NOT_UTF8);
  await ended;
  await client.closed();
  assert.deepEqual(Echo.ends.map(({ code }) => code), [1006]);
});

for (const frames of [20, 21, 300, 2_000]) {
  test(`${frames} invalid frames in one write are refused, and the 20th closes with 4400`, async () => {
    class Strict extends JsonConsumer<typeof NO_MESSAGES, Scope> {
      readonly messages = NO_MESSAGES;
      readonly handlers = {};
    }
    const handler = toHandler(openStack(router<Scope>([route("/", Strict)])), {
      log,
      limits: { messageBurst: 10_000 },
    });
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
    using client = await WsClient.connect(`ws://127.0.0.1:${server.addr.port}/`);
    for (let n = 0; n < frames; n++) client.socket.send("x");
    for (let n = 0; n < 20; n++) assert.match((await client.next()).text, /INVALID_JSON/);
    assert.equal((await client.closed).code, 4400);
  });
}
