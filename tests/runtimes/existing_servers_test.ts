import { cp } from "node:fs/promises";
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { findRuntime, type RuntimeName } from "../../tools/provide/runtimes.ts";
import { RawClient } from "../support/raw_request.ts";
import { WsClient } from "../support/app/ws_client.ts";
import { installPackage, type Project } from "../support/runtimes/installed_package.ts";
import { RuntimeServer } from "../support/runtimes/runtime_server.ts";

const EXAMPLES = new URL("../../examples/servers", import.meta.url).pathname;

let project: Project;

before(async () => {
  project = await installPackage();
  await cp(EXAMPLES, project.folder, { recursive: true });
});

after(() => project[Symbol.asyncDispose]());

const SERVERS: [program: string, runtimes: RuntimeName[], page: string][] = [
  ["express.js", ["node22", "node24"], "a page of Express"],
  ["fastify.js", ["node22", "node24"], "a page of Fastify"],
  ["hono_node.js", ["node22", "node24"], "a page of Hono"],
  ["hono_bun.js", ["bun"], "a page of Hono"],
  ["hono_deno.js", ["deno"], "a page of Hono"],
  ["deno_serve.js", ["deno"], "a page of Deno.serve"],
];

for (const [program, runtimes, page] of SERVERS) {
  for (const name of runtimes) {
    const skip = findRuntime(name) === undefined && "not installed";
    test(`${program} on ${name} serves pages and a room, and stops on SIGTERM`, {
      skip,
      timeout: 240_000,
    }, async () => {
      await using server = await RuntimeServer.start(name, project.folder, program);
      assert.equal(await (await fetch(`${server.origin}/page`)).text(), page);
      await assert.rejects(server.open("/ws/room"), { status: 401, code: "NOT_SIGNED_IN" });
      const headers = async (login: string) => {
        const response = await fetch(`${server.origin}/sign-in?as=${login}`, { method: "POST" });
        return { cookie: response.headers.getSetCookie()[0]!.split(";")[0]! };
      };
      using ada = await server.open("/ws/room", undefined, await headers("ada"));
      using grace = await server.open("/ws/room", undefined, await headers("grace"));
      grace.sendJson({ type: "say", data: { text: "hello" } });
      assert.deepEqual((await ada.frame("said")).data, { from: "grace", text: "hello" });
      server.kill("SIGTERM");
      assert.equal((await ada.closed).code, 1012);
      assert.equal(await server.ended(), 0);
    });
  }
}

for (const name of ["node22", "node24"] as const) {
  const skip = findRuntime(name) === undefined && "not installed";
  test(`attach() on ${name} serves a prefix, and other requests keep their bodies and connection`, {
    skip,
    timeout: 240_000,
  }, async () => {
    await using server = await RuntimeServer.start(name, project.folder, "prefix.js");
    using echo = await server.open("/realtime/ws/echo");
    echo.send("below");
    assert.equal((await echo.next()).text, "below");
    await assert.rejects(WsClient.connect(`${server.wsOrigin}/ws/echo`));
    using client = new RawClient(server.origin);
    // Some clients offer HTTP/2 with every first request (RFC 9110 §7.8).
    const offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n";
    const host = `Host: ${new URL(server.origin).host}\r\n`;
    await client.write(`POST /one HTTP/1.1\r\n${host}${offer}Content-Length: 10\r\n\r\nhello`);
    await client.write("world");
    assert.match((await client.received()).text, /another application: POST \/one helloworld/);
    client.text = "";
    await client.write(`GET /two HTTP/1.1\r\n${host}\r\n`);
    assert.match((await client.received()).text, /another application: GET \/two/);
    const leaving = new RawClient(server.origin);
    await leaving.write(`POST /three HTTP/1.1\r\n${host}Content-Length: 10\r\n\r\nhello`);
    leaving[Symbol.dispose](); // The rest of the body never comes.
    for (const path of ["/four", "/five"]) {
      assert.match(await (await fetch(server.origin + path)).text(), /another application: GET/);
    }
  });
}
