import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { eventually } from "../support/eventually.ts";
import { RawClient, rawRequest } from "../support/raw_request.ts";
import { onEveryRuntime } from "../support/runtimes/on_every_runtime.ts";

const host = (origin: string) => new URL(origin).host;

onEveryRuntime([
  {
    title: "serve() passes requests and responses through, with every Set-Cookie",
    async run({ origin }) {
      assert.equal(await (await fetch(`${origin}/page`)).text(), "hello");
      assert.equal((await fetch(`${origin}/nothing`)).status, 404);
      assert.equal((await fetch(`${origin}/empty`)).status, 204);
      assert.deepEqual((await fetch(`${origin}/cookies`)).headers.getSetCookie(), [
        "a=1; Path=/",
        "b=2; Path=/",
      ]);
      const head = await fetch(`${origin}/page`, { method: "HEAD" });
      assert.deepEqual([head.status, await head.text()], [200, ""]);
      assert.equal(await (await fetch(`${origin}/address`)).text(), "127.0.0.1");
      assert.equal(await (await fetch(`${origin}/url?a=1`)).text(), `${origin}/url?a=1`);
    },
  },
  {
    title: "a handler that throws is answered with 500 and does not end the process",
    async run({ origin }) {
      const response = await fetch(`${origin}/throw`);
      assert.deepEqual([response.status, (await response.json()).code], [500, "INTERNAL"]);
      assert.equal(await (await fetch(`${origin}/page`)).text(), "hello");
    },
  },
  {
    title: "one HTTP/1.1 connection serves many requests",
    async run({ origin }) {
      using client = new RawClient(origin);
      for (let n = 0; n < 3; n++) {
        client.text = "";
        await client.write(
          `POST /body HTTP/1.1\r\nHost: ${host(origin)}\r\nContent-Length: 3\r\n\r\nabc`,
        );
        await client.received();
        assert.match(client.text, /^HTTP\/1\.1 200/);
      }
    },
  },
  {
    title: "a body is read up to its limit, with and without Content-Length",
    async run({ origin }) {
      const send = (body: BodyInit) => fetch(`${origin}/body`, { method: "POST", body });
      assert.equal(await (await send("x".repeat(100_000))).text(), "100000");
      const large = await send("x".repeat(100_001));
      assert.deepEqual([large.status, (await large.json()).code], [413, "BODY_TOO_LARGE"]);
      using client = new RawClient(origin);
      await client.write(
        `POST /body HTTP/1.1\r\nHost: ${host(origin)}\r\nTransfer-Encoding: chunked\r\n\r\n`,
      );
      const chunk = `${(50_001).toString(16)}\r\n${"x".repeat(50_001)}\r\n`;
      await client.write(chunk + chunk);
      assert.match((await client.received()).text, /413.*BODY_TOO_LARGE/s);
    },
  },
  {
    title: "the rest of a body that is too large is not read",
    async run({ origin }) {
      using client = new RawClient(origin);
      await client.write(
        `POST /body HTTP/1.1\r\nHost: ${host(origin)}\r\nContent-Length: 1000000000\r\n\r\n`,
      );
      const part = "x".repeat(1_000_000);
      let sent = 0;
      while (sent < 200 && await client.write(part)) sent++;
      await client.closed();
      assert.ok(sent < 100, `the server accepted ${sent} MB`);
    },
  },
  {
    title: "a body that the handler leaves unread is not read",
    except: { bun: "Bun receives and discards it, up to its limit of 128 MB" },
    async run({ origin }) {
      using client = new RawClient(origin);
      await client.write(
        `POST /page HTTP/1.1\r\nHost: ${host(origin)}\r\nContent-Length: 100000000\r\n\r\n`,
      );
      const part = "x".repeat(1_000_000);
      let sent = 0;
      while (sent < 100 && await client.write(part)) sent++;
      await client.closed();
      assert.ok(sent < 50, `the server accepted ${sent} MB`);
    },
  },
  {
    title: "a body that stops arriving is answered with 408",
    async run({ origin }) {
      using client = new RawClient(origin);
      await client.write(
        `POST /body HTTP/1.1\r\nHost: ${host(origin)}\r\nContent-Length: 10\r\n\r\nabc`,
      );
      assert.match((await client.received()).text, /408.*BODY_TIMEOUT/s);
    },
  },
  {
    title: "a client that disconnects aborts its request",
    async run(server) {
      const { aborted = 0 } = await server.stats();
      const request = httpRequest(`${server.origin}/hang`).end();
      request.on("error", () => {});
      request.on("socket", (socket) => {
        socket.on("connect", () => setTimeout(() => request.destroy(), 100));
      });
      await eventually(async () => assert.equal((await server.stats()).aborted, aborted + 1));
    },
  },
  {
    title: "a streamed response arrives in parts, and its end is not confused with an abort",
    async run(server) {
      const headers = { cookie: (await server.signIn("stream")).cookie, origin: server.origin };
      const whole = await fetch(`${server.origin}/ws/part`, { headers });
      assert.equal(await whole.text(), "first\nlast\n");
      const large = await fetch(`${server.origin}/ws/large`, { headers });
      assert.equal((await large.arrayBuffer()).byteLength, 64 * 65_536);
      const open = await fetch(`${server.origin}/ws/part?endless`, { headers });
      const reader = open.body!.getReader();
      assert.equal(new TextDecoder().decode((await reader.read()).value), "first\n");
      const before = (await server.stats()).endCodes.length;
      await reader.cancel();
      await eventually(async () => {
        const { endCodes } = await server.stats();
        assert.equal(endCodes.length, before + 1);
        assert.equal(endCodes.at(-1), 1006);
      });
    },
  },
  {
    title: "a sign-out aborts an open response of the session, visibly for its client",
    async run(server) {
      const visitor = await server.signIn("reader");
      const headers = { cookie: visitor.cookie, origin: server.origin };
      const response = await fetch(`${server.origin}/ws/part?endless`, { headers });
      const reader = response.body!.getReader();
      await reader.read();
      await server.signOut(visitor);
      await assert.rejects(reader.read());
    },
  },
  {
    title: "a malformed Host is answered with 400",
    async run({ origin }) {
      for (const bad of ["a/b", "user@host", "a b"]) {
        const { status } = await rawRequest(origin, `GET /page HTTP/1.1\r\nHost: ${bad}\r\n\r\n`);
        assert.equal(status, 400, bad);
      }
    },
  },
  {
    title: "the target of a request never changes its host",
    async run(server) {
      const own = host(server.origin);
      const targets = ["//elsewhere.example/ws/echo", "http://elsewhere.example/page"];
      for (const target of targets) {
        const { status, text } = await rawRequest(
          server.origin,
          `GET ${target} HTTP/1.1\r\nHost: ${own}\r\n\r\n`,
        );
        assert.ok(status === 404 || status === 200 || status === 400, `${target}: ${text}`);
        assert.doesNotMatch(text, /426/);
      }
    },
  },
]);
