import { test } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { gzipSync } from "node:zlib";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { build } from "esbuild";
import { WebSocket, WebSocketServer } from "ws";
import { allowAnonymous, origins, stack } from "@sluice/sluice";
import { connect, type RealtimeSocket, type SocketState } from "@sluice/sluice/client";
import type { Messages } from "@sluice/sluice/protocol";
import { startServer } from "@sluice/sluice/testing";
import { silent } from "../support/silent_log.ts";
import { launchBrowser, whyNoBrowser } from "../support/browser/browser.ts";

/** A page, a server that refuses everyone at `/ws/closed`, and an echo at any other path. */
async function serve() {
  const script = await bundleClient();
  const http = createServer((request, response) => {
    if (request.url === "/client.js") {
      return response.setHeader("content-type", "text/javascript").end(script);
    }
    if (!request.url?.startsWith("/ws/")) {
      return response.setHeader("content-type", "text/html").end("<title>A page</title>");
    }
    response.statusCode = request.url === "/ws/closed" ? 403 : 426;
    response.setHeader("content-type", "application/problem+json");
    response.end('{ "code": "FORBIDDEN", "detail": "You do not have access" }');
  });
  const sockets = new WebSocketServer({ noServer: true });
  http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Uint8Array) => {
    if (request.url === "/ws/closed") return socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    sockets.handleUpgrade(request, socket, Buffer.from(head), (peer) => {
      peer.on("message", (text) => {
        const { id, data } = JSON.parse(String(text));
        peer.send(JSON.stringify({ type: "reply", id, ok: true, data }));
      });
    });
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const peer of sockets.clients) peer.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

async function bundleClient(): Promise<string> {
  const entry = new URL("../../lib/client/mod.ts", import.meta.url).pathname;
  const options = { bundle: true, minify: true, format: "esm", write: false } as const;
  const { outputFiles } = await build({ entryPoints: [entry], target: "es2022", ...options });
  return outputFiles[0]?.text ?? "";
}

function reached(socket: RealtimeSocket<Messages>, wanted: SocketState): Promise<void> {
  return new Promise((resolve) => {
    if (socket.state === wanted) return resolve();
    const stop = socket.onState((state) => {
      if (state !== wanted) return;
      stop();
      resolve();
    });
  });
}

for (
  const [name, environment] of Object.entries({ "the global": {}, "that of ws": { WebSocket } })
) {
  test(`connect() works with a WebSocket class: ${name}`, async () => {
    await using server = await serve();
    using socket = connect(`${server.url}/ws/echo`, { environment });
    assert.deepEqual(await socket.request("say", { text: "hello" }), { text: "hello" });
    using refused = connect(`${server.url}/ws/closed`, { environment });
    await reached(refused, "refused");
    assert.equal(refused.detail.code, "FORBIDDEN");
  });
}

/** Connects on another runtime and returns the reply and the code of a refusal. */
const ELSEWHERE = `
  import { connect } from "./client.mjs";
  const [origin] = process.argv.slice(2);
  const socket = connect(origin + "/ws/echo");
  const reply = await socket.request("say", { text: "hello" });
  const refused = connect(origin + "/ws/closed");
  await new Promise((resolve) => {
    refused.onState((state) => state === "refused" && resolve());
  });
  console.log(JSON.stringify({ reply, code: refused.detail.code }));
  process.exit();
`;

/** Why a runtime is skipped: it is not installed, or it has no WebSocket. */
async function whyNot(runtime: string): Promise<string | false> {
  try {
    const args = ["-e", "process.exit(globalThis.WebSocket ? 0 : 1)"];
    const { success } = await new Deno.Command(runtime, { args }).output();
    return success ? false : `this ${runtime} has no WebSocket`;
  } catch {
    return `there is no ${runtime}`;
  }
}

for (const runtime of ["node", "bun"]) {
  const options = { skip: await whyNot(runtime), timeout: 30_000 };
  test(`connect() works on ${runtime}, and finds the reason of a refusal`, options, async () => {
    await using server = await serve();
    const directory = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${directory}/client.mjs`, await bundleClient());
      await Deno.writeTextFile(`${directory}/main.mjs`, ELSEWHERE);
      const { stdout, stderr } = await new Deno.Command(runtime, {
        args: [`${directory}/main.mjs`, server.url],
      }).output();
      const printed = new TextDecoder().decode(stdout);
      assert.ok(printed, new TextDecoder().decode(stderr));
      assert.deepEqual(JSON.parse(printed), { reply: { text: "hello" }, code: "FORBIDDEN" });
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

const skip = await whyNoBrowser();

test("connect() works in a browser, and finds the reason of a refusal", { skip }, async () => {
  await using server = await serve();
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await page.goto(server.url);
  const outcome = await page.evaluate(`(async () => {
    const { connect } = await import("/client.js");
    const socket = connect("/ws/echo");
    const reply = await socket.request("say", { text: "hello" });
    const refused = connect("/ws/closed");
    await new Promise((resolve) => refused.onState((state) => state === "refused" && resolve()));
    return { reply, code: refused.detail.code, reason: refused.detail.reason };
  })()`);
  const reason = "You do not have access";
  assert.deepEqual(outcome, { reply: { text: "hello" }, code: "FORBIDDEN", reason });
});

test(
  "connect() in a browser drops the socket when the network is lost, and reconnects when it returns",
  {
    skip,
  },
  async () => {
    await using server = await serve();
    await using browser = await launchBrowser();
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(server.url);
    await page.evaluate(`(async () => {
    const { connect } = await import("/client.js");
    globalThis.socket = connect("/ws/echo");
    await socket.request("say", {});
  })()`);
    await context.setOffline(true);
    await page.waitForFunction("socket.state === 'reconnecting'");
    await context.setOffline(false);
    await page.waitForFunction("socket.state === 'live'");
    assert.deepEqual(await page.evaluate("socket.request('say', { again: true })"), {
      again: true,
    });
  },
);

test("a page at localhost learns that its server is at 127.0.0.1, and what allows it", {
  skip,
}, async () => {
  await using pages = await serve();
  const stacked = stack().use(origins()).use(allowAnonymous()).routes([]);
  await using server = startServer(stacked, { log: silent });
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  const warnings: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "warning") warnings.push(message.text());
  });
  await page.goto(pages.url.replace("127.0.0.1", "localhost"));
  await page.evaluate(`(async () => {
    const { connect } = await import("/client.js");
    globalThis.socket = connect("${server.url}/ws/x");
  })()`);
  await page.waitForFunction("socket.state === 'refused'");
  const { code, reason } = await page.evaluate("socket.detail") as { code: string; reason: string };
  assert.equal(code, "ORIGIN_NOT_ALLOWED");
  assert.match(reason, /^The page is at http:\/\/localhost:\d+, but this server is at http:/);
  assert.match(reason, /ALLOWED_ORIGINS/);
  assert.equal(warnings.filter((text) => text.includes(reason)).length, 1);
});

test("the client takes at most 6 KB to load, and 2 KB more behind a broken proxy", async () => {
  const entry = new URL("../../lib/client/connect.ts", import.meta.url).pathname;
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    outdir: "/",
    write: false,
  });
  const sizes = outputFiles.map(({ contents }) => gzipSync(contents, { level: 9 }).length);
  assert.equal(sizes.length, 2); // No part that both need, which would load first.
  const [first = Infinity, later = Infinity] = sizes;
  assert.ok(first <= 6_144, `${first} bytes`);
  assert.ok(later <= 2_048, `${later} bytes on demand`);
});
