import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { EventStream } from "../support/app/event_stream.ts";
import { HttpBrowser } from "../support/app/http_browser.ts";
import { type Refused, WsClient } from "../support/app/ws_client.ts";
import { RawClient, rawRequest } from "../support/raw_request.ts";
import { onEveryRuntime } from "../support/runtimes/on_every_runtime.ts";
import type { RuntimeServer, Visitor } from "../support/runtimes/runtime_server.ts";

/** Returns status and code of a refused upgrade. */
async function refusal(opening: Promise<WsClient>): Promise<[number, string | undefined]> {
  const refused: Refused = await opening.then(
    (client) => {
      client[Symbol.dispose]();
      assert.fail("the upgrade was accepted");
    },
    (error) => error,
  );
  return [refused.status, refused.code];
}

/** A raw connection with an accepted upgrade to `/ws/echo`. */
async function rawSocket(server: RuntimeServer, visitor: Visitor): Promise<RawClient> {
  const client = new RawClient(server.origin);
  await client.write([
    "GET /ws/echo HTTP/1.1",
    `Host: ${new URL(server.origin).host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Origin: ${server.origin}`,
    `Cookie: ${visitor.cookie}`,
    "\r\n",
  ].join("\r\n"));
  await client.received();
  assert.match(client.text, /^HTTP\/1\.1 101/);
  client.text = "";
  return client;
}

onEveryRuntime([
  {
    title: "an upgrade without a session is refused with 401 before the 101",
    async run(server) {
      assert.deepEqual(await refusal(server.open("/ws/echo")), [401, "NOT_SIGNED_IN"]);
      const plain = await fetch(`${server.origin}/ws/echo`, {
        headers: { "sec-fetch-site": "same-origin" },
      });
      assert.deepEqual([plain.status, (await plain.json()).code], [401, "NOT_SIGNED_IN"]);
      assert.equal(plain.headers.get("content-type"), "application/problem+json");
    },
  },
  {
    title: "the gate refuses another origin, an unknown path and a plain request",
    async run(server) {
      const ada = await server.signIn("gate");
      const foreign = server.open("/ws/echo", ada, { origin: "https://evil.example" });
      assert.deepEqual(await refusal(foreign), [403, "ORIGIN_NOT_ALLOWED"]);
      using allowed = await server.open("/ws/echo", ada, { origin: "https://elsewhere.example" });
      assert.equal(allowed.socket.protocol, "sluice.v1");
      assert.deepEqual(await refusal(server.open("/ws/nothing", ada)), [404, "NO_CONSUMER"]);
      const headers = { cookie: ada.cookie, origin: server.origin };
      const plain = await fetch(`${server.origin}/ws/echo`, { headers });
      assert.deepEqual([plain.status, (await plain.json()).code], [426, "UPGRADE_REQUIRED"]);
    },
  },
  {
    title: "sockets and responses of an application's own session end with it, and stay refused",
    async run(server) {
      const headers = { cookie: "own=ada" };
      const path = "/own/echo";
      assert.deepEqual(await refusal(server.open(path, undefined, headers)), [
        401,
        "NOT_SIGNED_IN",
      ]);
      await (await fetch(`${server.origin}/own-signin?as=ada`)).body?.cancel();
      using client = await server.open(path, undefined, headers);
      client.send("hello");
      assert.equal((await client.next()).text, "hello");
      const part = await fetch(`${server.origin}/own/part?endless`, {
        headers: { ...headers, origin: server.origin },
      });
      const reader = part.body!.getReader();
      await reader.read();
      const signedOut = await fetch(`${server.origin}/own-signout?as=ada`);
      assert.deepEqual(await signedOut.json(), { isPassedOn: true });
      assert.equal((await client.closed).code, 4401);
      await assert.rejects(reader.read());
      // The application's identify() still returns it.
      assert.deepEqual(await refusal(server.open(path, undefined, headers)), [
        401,
        "NOT_SIGNED_IN",
      ]);
    },
  },
  {
    title: "text and binary messages come back unchanged and in order",
    async run(server) {
      using client = await server.open("/ws/echo", await server.signIn("echo"));
      client.send("héllo");
      assert.equal((await client.next()).text, "héllo");
      client.send(new Uint8Array([0, 1, 255]));
      const binary = await client.next();
      assert.deepEqual([binary.isBinary, [...binary.bytes]], [true, [0, 1, 255]]);
      for (let n = 0; n < 40; n++) client.send(`message ${n}`);
      for (let n = 0; n < 40; n++) assert.equal((await client.next()).text, `message ${n}`);
    },
  },
  {
    title: "a consumer knows the client's address and the headers that are kept",
    async run(server) {
      const headers = { "user-agent": "tests" };
      using client = await server.open("/ws/echo", await server.signIn("address"), headers);
      client.send("address?");
      assert.equal((await client.next()).text, "127.0.0.1");
      client.send("header?");
      assert.equal((await client.next()).text, "tests");
    },
  },
  {
    title: "messages that a client sends before the 101 are delivered after it",
    except: { bun: "Bun drops what a client sends before the 101" },
    async run(server) {
      const visitor = await server.signIn("early");
      using client = new RawClient(server.origin);
      await client.write([
        "GET /ws/slow HTTP/1.1",
        `Host: ${new URL(server.origin).host}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        `Origin: ${server.origin}`,
        `Cookie: ${visitor.cookie}`,
        "\r\n",
      ].join("\r\n"));
      await client.write(new Uint8Array([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
      await eventually(() => assert.ok(client.text.endsWith("\x81\x02hi"), client.text));
    },
  },
  {
    title: "subprotocols without spaces and several upgrade protocols are understood",
    async run(server) {
      const visitor = await server.signIn("offers");
      const { text } = await rawRequest(
        server.origin,
        [
          "GET /ws/chat/one HTTP/1.1",
          `Host: ${new URL(server.origin).host}`,
          "Connection: keep-alive, Upgrade",
          "Upgrade: websocket",
          "Sec-WebSocket-Version: 13",
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
          "Sec-WebSocket-Protocol: other,sluice.v1",
          `Origin: ${server.origin}`,
          `Cookie: ${visitor.cookie}`,
          "\r\n",
        ].join("\r\n"),
      );
      assert.match(text, /^HTTP\/1\.1 101/);
      assert.match(text, /sec-websocket-protocol: sluice\.v1\r\n/i);
      assert.match(text, /sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i);
    },
  },
  {
    title: "an invalid handshake is refused with 400",
    async run(server) {
      const visitor = await server.signIn("invalid");
      const { status } = await rawRequest(
        server.origin,
        [
          "GET /ws/echo HTTP/1.1",
          `Host: ${new URL(server.origin).host}`,
          "Connection: Upgrade",
          "Upgrade: websocket",
          "Sec-WebSocket-Version: 13",
          "Sec-WebSocket-Key: short",
          `Origin: ${server.origin}`,
          `Cookie: ${visitor.cookie}`,
          "\r\n",
        ].join("\r\n"),
      );
      assert.equal(status, 400);
    },
  },
  {
    title: "a message reaches every member of a group, and the sender gets its reply",
    async run(server) {
      using ada = await server.open("/ws/chat/lobby", await server.signIn("ada"));
      using grace = await server.open("/ws/chat/lobby", await server.signIn("grace"));
      ada.sendJson({ type: "say", data: { text: "hello" }, id: "1" });
      assert.deepEqual((await grace.frame("said")).data, { text: "hello" });
      assert.deepEqual((await ada.frame("reply")).data, { length: 5 });
    },
  },
  {
    title: "an event stream carries frames both ways, and ends with its session within a second",
    async run(server) {
      const visitor = await server.signIn("streaming");
      const browser = new HttpBrowser((request) => fetch(request), server.origin);
      const [name, value] = visitor.cookie.split("=");
      browser.cookies.set(name!, value!);
      const path = "/ws/chat/streaming";
      const stream = await EventStream.open(browser, path);
      using socket = await server.open(path, await server.signIn("listening"));
      const text = "one\n\u2028\r two";
      assert.equal((await stream.post([{ type: "say", data: { text }, id: "1" }])).status, 204);
      assert.deepEqual((await socket.frame("said")).data, { text });
      assert.deepEqual((await stream.frame("said")).data, { text });
      assert.deepEqual((await stream.frame("reply")).data, { length: text.length });
      const started = performance.now();
      await server.signOut(visitor);
      const last = await stream.next();
      assert.match(JSON.stringify(last), /"close","data":"4401 /);
      assert.equal(await stream.next(), undefined);
      assert.ok(performance.now() - started < 1_000);
      assert.equal((await stream.post([])).status, 401);
    },
  },
  {
    title: "frames follow the protocol: ping, unknown types, invalid JSON, a handler that throws",
    async run(server) {
      using client = await server.open("/ws/chat/frames", await server.signIn("frames"));
      client.sendJson({ type: "ping", id: "9" });
      assert.deepEqual((await client.frame("reply")).id, "9");
      const codeOf = async (send: () => void) => {
        send();
        const { error } = JSON.parse((await client.next()).text.split("\n")[0]!);
        return error.code;
      };
      assert.equal(await codeOf(() => client.sendJson({ type: "no" })), "UNKNOWN_TYPE");
      assert.equal(await codeOf(() => client.send("{")), "INVALID_JSON");
      assert.equal(
        await codeOf(() => client.sendJson({ type: "fail", data: {}, id: "2" })),
        "INTERNAL",
      );
      client.sendJson({ type: "say", data: { text: "still open" } });
      assert.deepEqual((await client.frame("said")).data, { text: "still open" });
    },
  },
  {
    title: "the 20th invalid frame closes with 4400, too many messages are refused",
    async run(server) {
      const visitor = await server.signIn("limits");
      using invalid = await server.open("/ws/chat/limits", visitor);
      for (let n = 0; n < 20; n++) invalid.send("x");
      assert.equal((await invalid.closed).code, 4400);
      using fast = await server.open("/ws/echo", visitor);
      for (let n = 0; n < 200; n++) fast.send(`${n}`);
      assert.equal((await fast.closed).code, 4429);
    },
  },
  {
    title: "a consumer that throws closes its own socket with 1011 and no other",
    async run(server) {
      const visitor = await server.signIn("throws");
      using victim = await server.open("/ws/echo", visitor);
      using other = await server.open("/ws/echo", visitor);
      victim.send("throw");
      assert.equal((await victim.closed).code, 1011);
      other.send("still here");
      assert.equal((await other.next()).text, "still here");
    },
  },
  {
    title: "a message larger than the limit closes with 1009",
    async run(server) {
      using client = await server.open("/ws/echo", await server.signIn("large"));
      client.send("x".repeat(65_536));
      assert.equal((await client.next()).text.length, 65_536);
      client.send("x".repeat(65_537));
      assert.equal((await client.closed).code, 1009);
    },
  },
  {
    title: "a sign-out closes every socket of the session with 4401 within a second, and no other",
    async run(server) {
      const [ada, grace] = [await server.signIn("ada"), await server.signIn("grace")];
      using first = await server.open("/ws/echo", ada);
      using second = await server.open("/ws/chat/bond", ada);
      using other = await server.open("/ws/echo", grace);
      const since = performance.now();
      await server.signOut(ada);
      assert.equal((await first.closed).code, 4401);
      assert.equal((await second.closed).code, 4401);
      assert.ok(performance.now() - since < 1_000);
      other.send("hello");
      assert.equal((await other.next()).text, "hello");
      assert.equal((await refusal(server.open("/ws/echo", ada)))[0], 401);
    },
  },
  {
    title: "the socket of a silent peer ends with its session: its consumer is told at once",
    async run(server) {
      const visitor = await server.signIn("silent");
      using client = await rawSocket(server, visitor);
      const { ended = 0 } = await server.stats();
      await server.signOut(visitor);
      await eventually(async () => {
        const stats = await server.stats();
        assert.equal(stats.ended, ended + 1);
        assert.equal(stats.endCodes.at(-1), 4401);
      }, 1_000);
      assert.ok(client);
    },
  },
  {
    title: "the sixth socket of a user is refused with 429, and closed sockets are released",
    async run(server) {
      const visitor = await server.signIn("many");
      const clients = [];
      for (let n = 0; n < 5; n++) clients.push(await server.open("/ws/echo", visitor));
      assert.deepEqual(await refusal(server.open("/ws/echo", visitor)), [429, "TOO_MANY_SOCKETS"]);
      for (const client of clients) client.socket.close();
      for (const client of clients) await client.closed;
      using again = await eventually(() => server.open("/ws/echo", visitor));
      assert.ok(again);
    },
  },
  {
    title: "a peer that vanishes ends its consumer once with 1006",
    async run(server) {
      const { ended = 0 } = await server.stats();
      const client = await server.open("/ws/echo", await server.signIn("vanish"));
      client.socket.terminate();
      await eventually(async () => {
        const stats = await server.stats();
        assert.equal(stats.ended, ended + 1);
        assert.equal(stats.endCodes.at(-1), 1006);
      });
    },
  },
  {
    title: "a client that stops reading is closed with 4408 within bounded memory",
    async run(server) {
      using client = await server.open("/ws/chat/flood", await server.signIn("flood"));
      client.socket.pause();
      for (let n = 0; n < 20; n++) {
        client.sendJson({ type: "flood", data: { count: 40, bytes: 50_000 } });
      }
      await eventually(async () => assert.ok((await server.stats()).open === 0), 10_000);
      client.socket.resume();
      const { code } = await client.closed;
      assert.ok(code === 4408 || code === 1006, `${code}`);
    },
  },
  {
    title: "a handler behind a path prefix serves the same paths below it",
    async run(server) {
      using client = await server.open("/prefix/ws/echo", await server.signIn("prefix"));
      client.send("below");
      assert.equal((await client.next()).text, "below");
      const visitor = await server.signIn("prefix");
      assert.deepEqual(
        await refusal(server.open("/prefix/ws/nothing", visitor)),
        [404, "NO_CONSUMER"],
      );
    },
  },
]);
