import { test } from "node:test";
import assert from "node:assert/strict";
import { Refusal, type Scope } from "@sluice/sluice";
import { HttpConsumer } from "@sluice/sluice/consumers";
import { type LayerScope, MemoryChannelLayer } from "@sluice/sluice/layers";
import { communicateHttp, FakeClock, startServer } from "@sluice/sluice/testing";
import { route, router } from "@sluice/sluice/routing";

const text = (body: Uint8Array) => new TextDecoder().decode(body);

function layerScope() {
  const layer = new MemoryChannelLayer();
  return { layer, scope: { layers: { default: layer } } };
}

test("HttpConsumer gets the whole body, and its response arrives with status and headers", async () => {
  class Echo extends HttpConsumer {
    override async handle(body: Uint8Array) {
      await this.sendResponse(201, `got ${text(body)}`, { "x-made": "here" });
    }
  }
  const client = communicateHttp(Echo, { method: "POST", body: "abc" });
  const answer = await client.response();
  assert.deepEqual([answer.status, answer.text], [201, "got abc"]);
  assert.equal(answer.headers.get("x-made"), "here");
});

test("a body over maxBodyBytes is answered with 413 and does not reach handle()", async () => {
  let handled = 0;
  class Small extends HttpConsumer {
    override get maxBodyBytes() {
      return 3;
    }
    override async handle() {
      handled++;
      await this.sendResponse(200);
    }
  }
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(2));
      controller.enqueue(new Uint8Array(2));
      controller.close();
    },
  });
  for (const body of ["abcd", stream]) {
    const answer = await communicateHttp(Small, { method: "POST", body }).response();
    assert.equal(answer.status, 413);
    assert.match(answer.text, /BODY_TOO_LARGE/);
  }
  assert.equal(handled, 0);
  assert.equal((await communicateHttp(Small, { method: "POST", body: "abc" }).head()).status, 200);
});

test("disconnect() runs once with 1000 after a response, and once with 1006 after a client that disconnected", async () => {
  const ends: number[] = [];
  class Ending extends HttpConsumer {
    override async handle() {
      if (this.scope.query.has("wait")) return this.wait(1000);
      await this.sendResponse(200);
    }
    override disconnect(code: number) {
      ends.push(code);
    }
  }
  const done = communicateHttp(Ending);
  await done.response();
  await done.wait();
  assert.deepEqual(ends, [1000]);
  const left = communicateHttp(Ending, { path: "/?wait" });
  await left.send();
  await left.leave();
  await left.leave();
  assert.deepEqual(ends, [1000, 1006]);
});

test("event() can answer a request that waits in a group", async () => {
  const { layer, scope } = layerScope();
  class Poll extends HttpConsumer<Scope & LayerScope> {
    override get groups() {
      return ["news"];
    }
    override handle() {
      this.wait(25_000);
    }
    override async event({ data }: { data?: unknown }) {
      await this.sendResponse(200, JSON.stringify(data));
    }
  }
  const client = communicateHttp(Poll, { scope });
  assert.equal(await client.receivesNothing(), true);
  await layer.groupSend("news", { type: "said", data: { text: "hi" } });
  assert.equal((await client.response()).text, '{"text":"hi"}');
  assert.equal((await layer.groupSend("news", { type: "said" })).delivered, 0);
});

test("wait() answers with 204 if no event arrives", async () => {
  const clock = new FakeClock();
  class Poll extends HttpConsumer {
    override handle() {
      this.wait(25_000);
    }
  }
  const client = communicateHttp(Poll, { clock });
  await client.send();
  await clock.advance(24_999);
  assert.equal(await client.receivesNothing(), true);
  await clock.advance(1);
  assert.equal((await client.response()).status, 204);
  assert.equal(clock.pending, 0);
});

test("a response continues with each event until it is complete", async () => {
  const { layer, scope } = layerScope();
  class Stream extends HttpConsumer<Scope & LayerScope> {
    override get groups() {
      return ["news"];
    }
    override async handle() {
      this.sendHeaders({ headers: { "content-type": "text/event-stream" } });
      await this.sendBody("", { more: true });
    }
    override async event({ type }: { type: string }) {
      await this.sendBody(`data: ${type}\n\n`, { more: type !== "last" });
    }
  }
  const client = communicateHttp(Stream, { scope });
  assert.equal((await client.head()).headers.get("content-type"), "text/event-stream");
  await layer.groupSend("news", { type: "first" });
  assert.equal(await client.chunk(), "data: first\n\n");
  await layer.groupSend("news", { type: "last" });
  assert.equal(await client.chunk(), "data: last\n\n");
  assert.equal(await client.chunk(), undefined);
});

test("sendBody() waits for a slow client, and writes no more than it reads", async () => {
  let sent = 0;
  class Large extends HttpConsumer {
    override async handle() {
      this.sendHeaders();
      for (; sent < 100; sent++) await this.sendBody(new Uint8Array(65_536), { more: true });
      await this.sendBody("");
    }
  }
  const client = communicateHttp(Large);
  await client.head();
  assert.ok(sent < 5, `${sent} pieces were written for nobody`);
  let size = 0;
  for (let next = await client.chunkBytes(); next; next = await client.chunkBytes()) {
    size += next.length;
  }
  assert.equal(size, 100 * 65_536);
});

test("a response is aborted if more than sendBufferBytes are queued for its client", async () => {
  const ends: number[] = [];
  class Flood extends HttpConsumer {
    override handle() {
      this.sendHeaders();
      for (let count = 0; count < 100; count++) {
        void this.sendBody(new Uint8Array(65_536), { more: true });
      }
    }
    override disconnect(code: number) {
      ends.push(code);
    }
  }
  const client = communicateHttp(Flood);
  await client.head();
  await client.wait();
  assert.deepEqual(ends, [4408]);
  await assert.rejects(client.chunk(), /Response aborted/);
});

test("an error before the response is a 500 without details, and a Refusal becomes the response", async () => {
  class Buggy extends HttpConsumer {
    override handle(): void {
      if (this.scope.query.has("refuse")) throw new Refusal("NOT_FOUND", { status: 404 });
      throw new Error("secret");
    }
  }
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const answer = await communicateHttp(Buggy, { raise: false, log }).response();
  assert.equal(answer.status, 500);
  assert.doesNotMatch(answer.text, /secret/);
  const refused = await communicateHttp(Buggy, { path: "/?refuse" }).response();
  assert.deepEqual([refused.status, /NOT_FOUND/.test(refused.text)], [404, true]);
});

test("handle() that sends no response fails with a specific error", async () => {
  class Forgetful extends HttpConsumer {
    override handle() {}
  }
  await assert.rejects(communicateHttp(Forgetful).response(), /sent no response/);
});

test("connect() can refuse a request before its body is read", async () => {
  let isRead = false;
  class Closed extends HttpConsumer {
    override connect() {
      this.refuse("FORBIDDEN", "Members only");
    }
    override handle() {
      isRead = true;
    }
  }
  const answer = await communicateHttp(Closed, { method: "POST", body: "x" }).response();
  assert.equal(answer.status, 403);
  assert.match(answer.text, /Members only/);
  assert.equal(isRead, false);
});

test("a request without a response is answered with 503 after answerTimeoutMs", async () => {
  const clock = new FakeClock();
  class Stuck extends HttpConsumer {
    override async handle() {
      await new Promise(() => {});
    }
  }
  const client = communicateHttp(Stuck, { clock, limits: { answerTimeoutMs: 500 } });
  await client.send();
  await clock.advance(500);
  assert.equal((await client.response()).status, 503);
});

test("headers and cookies are sent once: setting them later throws a TypeError", async () => {
  class Late extends HttpConsumer {
    override async handle() {
      this.setCookie("a", "1");
      this.deleteCookie("b");
      assert.throws(() => this.setCookie("bad name", "1"), TypeError);
      this.sendHeaders();
      assert.throws(() => this.sendHeaders(), TypeError);
      await this.sendBody("x", { more: true });
      assert.throws(() => this.setCookie("c", "1"), TypeError);
      await this.sendBody("y");
      assert.equal(await this.sendBody("z"), false);
    }
  }
  const answer = await communicateHttp(Late).response();
  assert.equal(answer.text, "xy");
  assert.deepEqual(answer.headers.getSetCookie(), [
    "a=1; Path=/; HttpOnly; SameSite=Lax",
    "b=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
  ]);
});

test("HttpConsumer streams over a network, and disconnect() runs once when the client disconnects", async () => {
  const { layer } = layerScope();
  const ends: number[] = [];
  const ended = Promise.withResolvers<void>();
  class Stream extends HttpConsumer<Scope & LayerScope> {
    override get groups() {
      return ["news"];
    }
    override async handle() {
      this.sendHeaders();
      await this.sendBody("begin", { more: true });
    }
    override async event() {
      await this.sendBody("event", { more: true });
    }
    override disconnect(code: number) {
      ends.push(code);
      ended.resolve();
    }
  }
  const application = router<Scope & LayerScope>([route("/stream", Stream)]);
  await using server = startServer((scope: Scope) =>
    application(Object.assign(scope, { layers: { default: layer } }))
  );
  const leaving = new AbortController();
  const response = await fetch(`${server.url}/stream`, { signal: leaving.signal });
  const reader = response.body!.getReader();
  assert.equal(text((await reader.read()).value!), "begin");
  await layer.groupSend("news", { type: "x" });
  assert.equal(text((await reader.read()).value!), "event");
  leaving.abort();
  await ended.promise;
  assert.deepEqual(ends, [1006]);
  assert.equal((await layer.groupSend("news", { type: "x" })).delivered, 0);
  await reader.read().catch(() => {});
});

test("a waiting request over a network ends once when its client disconnects", async () => {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<number>();
  class Poll extends HttpConsumer {
    override handle() {
      this.wait(60_000);
      begun.resolve();
    }
    override disconnect(code: number) {
      ended.resolve(code);
    }
  }
  await using server = startServer(router<Scope>([route("/poll", Poll)]));
  const leaving = new AbortController();
  const answer = fetch(`${server.url}/poll`, { signal: leaving.signal }).catch(() => "aborted");
  await begun.promise;
  leaving.abort();
  assert.equal(await answer, "aborted");
  assert.equal(await ended.promise, 1006);
});
