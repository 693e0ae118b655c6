import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { test } from "node:test";
import assert from "node:assert/strict";
import { WebSocketServer } from "ws";
import type { Scope } from "@sluice/sluice";
import { Consumer, HttpConsumer } from "@sluice/sluice/consumers";
import { attach, serve } from "@sluice/sluice/node";
import { route, router } from "@sluice/sluice/routing";
import { type HandlerOptions, toHandler } from "@sluice/sluice/server";
import { type Refused, WsClient } from "../../support/app/ws_client.ts";
import { openStack } from "../../support/open_stack.ts";
import { silent as log } from "../../support/silent_log.ts";
import { RawClient, rawRequest } from "../../support/raw_request.ts";

class Echo extends Consumer {
  override receive(data: string | Uint8Array): void {
    this.send(data);
  }
}

/** Streams one part and then waits until its client disconnects. */
class Endless extends HttpConsumer {
  static gone: PromiseWithResolvers<number>;
  override async handle(): Promise<void> {
    this.sendHeaders();
    await this.sendBody("part", { more: true });
  }
  override disconnect(code: number): void {
    Endless.gone.resolve(code);
  }
}

interface Started extends AsyncDisposable {
  readonly server: Server;
  readonly handler: ReturnType<typeof toHandler>;
  readonly host: string;
}

/** An application of `node:http` that answers everything, with a handler attached to it. */
async function start(
  options: Parameters<typeof attach>[2] & {
    handler?: HandlerOptions;
    before?: (server: Server) => void;
  } = {},
): Promise<Started> {
  const routes = [route("/ws/echo", Echo), route("/live/echo", Echo), route("/ws/part", Endless)];
  const handler = toHandler(openStack(router<Scope>(routes)), { log, ...options.handler });
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => response.end(`application ${request.url} ${Buffer.concat(chunks)}`));
  });
  options.before?.(server);
  const attachment = attach(server, handler, { log, ...options });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    server,
    handler,
    host: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      attachment.terminateAll();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("attach() answers its paths and leaves all other requests to the server's listeners", async () => {
  await using app = await start();
  assert.equal(await (await fetch(`http://${app.host}/page`)).text(), "application /page ");
  assert.equal(await (await fetch(`http://${app.host}/wsx`)).text(), "application /wsx ");
  const refused = await fetch(`http://${app.host}/ws/nothing`);
  assert.equal(refused.status, 404);
  assert.equal((await refused.json()).code, "NO_CONSUMER");
  using client = await WsClient.connect(`ws://${app.host}/ws/echo`, { protocols: ["sluice.v1"] });
  client.send("hello");
  assert.equal((await client.next()).text, "hello");
  assert.equal(client.socket.protocol, "sluice.v1");
});

test("attach() leaves upgrades at other paths to the server's other listeners", async () => {
  const other = new WebSocketServer({ noServer: true });
  other.on("connection", (socket) => socket.send("from another library"));
  await using app = await start({
    before: (server) =>
      server.on("upgrade", (request, socket, head) => {
        assert.equal(request.url, "/hmr");
        other.handleUpgrade(request, socket, head, (ws) => other.emit("connection", ws, request));
      }),
  });
  using foreign = await WsClient.connect(`ws://${app.host}/hmr`);
  assert.equal((await foreign.next()).text, "from another library");
  using own = await WsClient.connect(`ws://${app.host}/ws/echo`);
  own.send("own");
  assert.equal((await own.next()).text, "own");
  other.close();
});

test("attach() without paths answers every WebSocket upgrade if no other listener does", async () => {
  await using app = await start();
  using client = await WsClient.connect(`ws://${app.host}/live/echo`);
  client.send("hello");
  assert.equal((await client.next()).text, "hello");
});

test("attach() with paths leaves a WebSocket upgrade elsewhere to the application", async () => {
  await using app = await start({ paths: ["/live/*"] });
  using client = await WsClient.connect(`ws://${app.host}/live/echo`);
  client.send("hello");
  assert.equal((await client.next()).text, "hello");
  const { status, text } = await rawRequest(
    `http://${app.host}`,
    `GET /ws/echo HTTP/1.1\r\nHost: ${app.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  assert.equal(status, 200);
  assert.match(text, /application \/ws\/echo/);
});

test("attach() refuses an upgrade with status and problem before the 101", async () => {
  await using app = await start();
  const refused: Refused = await WsClient.connect(`ws://${app.host}/ws/nothing`).then(
    () => assert.fail("accepted"),
    (error) => error,
  );
  assert.deepEqual([refused.status, refused.code], [404, "NO_CONSUMER"]);
});

test("a connection reset during the decision does not end the process", async () => {
  const decided = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  class Slow extends Consumer {
    override async connect() {
      asked.resolve();
      await decided.promise;
      this.accept();
    }
  }
  const handler = toHandler(openStack(router<Scope>([route("/ws/slow", Slow)])), { log });
  const server = createServer();
  using attachment = attach(server, handler, { log });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const opening = WsClient.connect(`ws://127.0.0.1:${port}/ws/slow`, {
    finishRequest(request) {
      request.on("socket", (socket) => void asked.promise.then(() => socket.resetAndDestroy?.()));
      request.end();
    },
  }).catch((error) => error);
  await asked.promise;
  await opening;
  decided.resolve();
  assert.equal((await fetch(`http://127.0.0.1:${port}/ws/nothing`)).status, 404);
  attachment.terminateAll();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test("a message larger than the limit is refused with 1009 before it is in memory", async () => {
  await using app = await start({ handler: { limits: { maxMessageBytes: 1_000 } } });
  using client = await WsClient.connect(`ws://${app.host}/ws/echo`);
  const part = new Uint8Array(600);
  client.socket.send(part, { fin: false });
  client.socket.send(part, { fin: false });
  assert.equal((await client.closed).code, 1009);
});

test("text that is not UTF-8 is answered with 1007, an unmasked frame with 1002", async () => {
  await using app = await start();
  const frames: [frame: number[], code: number][] = [
    [[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe], 1007],
    [[0x81, 0x01, 0x61], 1002],
  ];
  for (const [frame, code] of frames) {
    using client = new RawClient(`http://${app.host}`);
    await client.write(
      `GET /ws/echo HTTP/1.1\r\nHost: ${app.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await client.received();
    client.text = "";
    await client.write(new Uint8Array(frame));
    const { text } = await client.closed();
    assert.deepEqual([text.charCodeAt(0), text.charCodeAt(2) * 256 + text.charCodeAt(3)], [
      0x88,
      code,
    ]);
  }
});

test("a malformed Host is answered with 400, and an https target with 421", async () => {
  await using app = await start();
  const requests: [request: string, status: number][] = [
    ["GET /ws/echo HTTP/1.1\r\nHost: a/b\r\n\r\n", 400],
    ["GET /ws/echo HTTP/1.1\r\nHost: user@host\r\n\r\n", 400],
    [`GET https://elsewhere/ws/echo HTTP/1.1\r\nHost: ${app.host}\r\n\r\n`, 421],
    [`GET http://elsewhere/ws/echo HTTP/1.1\r\nHost: ${app.host}\r\n\r\n`, 426],
    [`GET //ws/echo HTTP/1.1\r\nHost: ${app.host}\r\n\r\n`, 200],
  ];
  for (const [request, status] of requests) {
    assert.equal((await rawRequest(`http://${app.host}`, request)).status, status, request);
  }
});

test("an https target does not matter to a handler that knows the site's address", async () => {
  const publicUrl = "https://site.example";
  await using app = await start({ publicUrl, handler: { publicUrl } });
  const request = `GET https://elsewhere/ws/echo HTTP/1.1\r\nHost: ${app.host}\r\n\r\n`;
  assert.equal((await rawRequest(`http://${app.host}`, request)).status, 426);
});

test("a client that leaves a streamed response ends its consumer", async () => {
  await using app = await start();
  Endless.gone = Promise.withResolvers();
  const request = httpRequest(`http://${app.host}/ws/part`).end();
  request.on("response", (response) => response.once("data", () => request.destroy()));
  request.on("error", () => {});
  assert.equal(await Endless.gone.promise, 1006);
  assert.equal(app.handler.stats.open, 0);
});

test("attach() refuses a path that does not start with a slash", () => {
  assert.throws(() => attach(createServer(), () => new Response(), { paths: ["ws"] }), TypeError);
});

test("detach() returns all requests to the server's listeners", async () => {
  const server = createServer((_request, response) => response.end("application"));
  attach(server, () => new Response("handler"), { log }).detach();
  assert.equal(server.listenerCount("upgrade"), 0);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/ws/x`)).text(), "application");
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test("serve() of Node logs one line and rejects if it cannot listen", async () => {
  await using taken = await start();
  const { port } = taken.server.address() as AddressInfo;
  const reasons: [port: number, reason: RegExp][] = [
    [port, /EADDRINUSE/],
    [NaN, /port/],
    [99_999, /port/],
    [-1, /port/],
  ];
  for (const [port, reason] of reasons) {
    const lines: string[] = [];
    const error = (...parts: unknown[]) => void lines.push(JSON.stringify(parts));
    const server = serve(() => new Response(), { port, log: { ...log, error } });
    await assert.rejects(server.listening, reason);
    assert.equal(process.exitCode, 1);
    process.exitCode = 0;
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, new RegExp(`^\\["Cannot listen on 127\\.0\\.0\\.1:${port}: `));
    await server.shutdown();
  }
});

test("serve() of Node answers a method that no handler can see with 501, without a log line", async () => {
  const lines: unknown[] = [];
  const error = (message: string) => void lines.push(message);
  await using server = serve(() => new Response("hello"), {
    port: 0,
    log: { ...log, error },
    onListen() {},
  });
  const { port } = await server.listening;
  const text = "TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
  assert.equal((await rawRequest(`http://127.0.0.1:${port}`, text)).status, 501);
  assert.deepEqual(lines, []);
});
