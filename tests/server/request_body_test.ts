import { test } from "node:test";
import assert from "node:assert/strict";
import { Refusal, type Scope } from "@sluice/sluice";
import { Consumer, HttpConsumer } from "@sluice/sluice/consumers";
import { route, router } from "@sluice/sluice/routing";
import { toHandler } from "@sluice/sluice/server";
import { startServer } from "@sluice/sluice/testing";
import { openStack } from "../support/open_stack.ts";
import { floodBody, RawClient } from "../support/raw_request.ts";

const MIB = 1_048_576;

class Upload extends HttpConsumer {
  static ends: number[] = [];
  static begun: (() => void) | undefined;
  static ended: (() => void) | undefined;
  override connect() {
    Upload.begun?.();
  }
  override get maxBodyBytes() {
    return 4096;
  }
  override async handle(body: Uint8Array) {
    await this.sendResponse(200, String(body.length));
  }
  override disconnect(code: number) {
    Upload.ends.push(code);
    Upload.ended?.();
  }
}

class Socket extends Consumer {}

const errors: unknown[] = [];
const log = {
  debug() {},
  info() {},
  warn() {},
  error: (message: string, fields: unknown) => void errors.push([message, fields]),
};

function start() {
  const application = router<Scope>([
    route("/upload", Upload),
    route("/closed", () => new Refusal("FORBIDDEN")),
    route("/ws/echo", Socket),
  ]);
  errors.length = 0;
  return startServer(toHandler(openStack(application), { log }));
}

const post = (path: string) => `POST ${path} HTTP/1.1\r\nHost: localhost\r\n`;

test("a body past the limit of an HttpConsumer is refused with 413, and the connection closes", async () => {
  await using server = start();
  using client = new RawClient(server.url);
  const answer = await floodBody(client, post("/upload"), { bytes: 200 * MIB, untilClosed: true });
  assert.equal(answer.status, 413);
  assert.match(answer.text, /"code":"BODY_TOO_LARGE"/);
  assert.match(answer.text, /^connection: close\r$/im);
  assert.ok(answer.sent < 50 * MIB, `the server took ${answer.sent} bytes`);
  assert.deepEqual(errors, []);
});

test("toHandler() leaves a body unread that no consumer reads, and closes the connection", async () => {
  await using server = start();
  const expected: [path: string, status: number][] = [
    ["/closed", 403],
    ["/nothing", 404],
    ["/ws/echo", 426],
  ];
  for (const [path, status] of expected) {
    using client = new RawClient(server.url);
    const answer = await floodBody(client, post(path), { bytes: 200 * MIB, untilClosed: true });
    assert.equal(answer.status, status);
    assert.ok(answer.sent < 50 * MIB, `${path}: the server took ${answer.sent} bytes`);
  }
});

test("a body within the limit keeps its connection for the next request", async () => {
  await using server = start();
  using client = new RawClient(server.url);
  for (const expected of ["5", "3"]) {
    client.text = "";
    await client.write(
      `${post("/upload")}Content-Length: ${expected}\r\n\r\n${"a".repeat(Number(expected))}`,
    );
    const { status, text, isClosed } = await client.received();
    assert.deepEqual([status, isClosed], [200, false]);
    assert.match(text, new RegExp(`\r\n\r\n${expected}$`));
  }
});

test("a client that disconnects while sending its body ends the consumer with 1006 and logs no error", async () => {
  await using server = start();
  Upload.ends = [];
  const ended = new Promise<void>((resolve) => Upload.ended = resolve);
  const begun = new Promise<void>((resolve) => Upload.begun = resolve);
  const client = new RawClient(server.url);
  await client.write(`${post("/upload")}Content-Length: 100\r\n\r\nhalf`);
  await begun;
  client[Symbol.dispose]();
  await ended;
  assert.deepEqual(Upload.ends, [1006]);
  assert.deepEqual(errors, []);
  assert.equal(server.handler.stats.open, 0);
});
