import { test } from "node:test";
import assert from "node:assert/strict";
import * as v from "valibot";
import type { Scope } from "@sluice/sluice";
import { Consumer, type HandlersOf, JsonConsumer } from "@sluice/sluice/consumers";
import { defineMessages } from "@sluice/sluice/protocol";
import { communicate, FakeClock } from "@sluice/sluice/testing";

const messages = defineMessages({
  client: { wait: { data: v.undefined() }, add: { data: v.number() } },
  server: {},
});

class Slow extends JsonConsumer<typeof messages> {
  static go = Promise.withResolvers<void>();
  readonly messages = messages;
  readonly handlers = handlers;
}

const handlers: HandlersOf<Slow> = {
  wait: () => Slow.go.promise,
  add: () => {},
};

async function join(
  options: { subprotocols?: string[]; scope?: Record<string, unknown>; clock?: FakeClock } = {},
) {
  Slow.go = Promise.withResolvers();
  const peer = communicate<Scope>(Slow, { raise: false, ...options });
  await peer.connect();
  return peer;
}

for (
  const frame of [
    '{"type":"ping","id":"9"}',
    '{ "id" : "9", "data": null, "type" : "ping" }',
    '{\n  "type": "ping",\n  "id": "9"\n}',
    '{"type":"p\\u0069ng","id":"9"}',
    `{"type":"ping","id":"9","data":"${"x".repeat(1000)}"}`,
  ]
) {
  test(`the ping ${frame.slice(0, 45)} is answered with a reply`, async () => {
    const peer = await join();
    peer.send(frame);
    assert.deepEqual(await peer.receiveJson(), { type: "reply", id: "9", ok: true });
  });
}

test("a ping is answered while a handler is running", async () => {
  const peer = await join();
  peer.sendJson({ type: "wait", id: "1" });
  peer.sendJson({ type: "ping", id: "2" });
  assert.equal((await peer.receiveJson()).id, "2");
  Slow.go.resolve();
  assert.equal((await peer.receiveJson()).id, "1");
});

test("pings do not count toward the message limit", async () => {
  const peer = await join({ clock: new FakeClock() });
  for (let count = 0; count < 500; count++) peer.sendJson({ type: "ping", id: "p" });
  for (let count = 0; count < 100; count++) peer.sendJson({ type: "add", data: 1, id: "a" });
  for (let count = 0; count < 600; count++) assert.equal((await peer.receiveJson()).ok, true);
  peer.sendJson({ type: "add", data: 1, id: "a" });
  assert.equal((await peer.receiveJson()).ok, false);
  peer.sendJson({ type: "ping", id: "p" });
  assert.equal((await peer.receiveJson()).ok, true);
});

test("excess pings count as messages: the socket closes with 4429", async () => {
  const peer = await join({ clock: new FakeClock() });
  for (let count = 0; count < 1_200; count++) peer.sendJson({ type: "ping", id: "p" });
  assert.equal((await peer.closed()).code, 4429);
});

test("several pings in one message have the same limit", async () => {
  const peer = await join({ clock: new FakeClock(), subprotocols: ["sluice.v1"] });
  const line = '{"type":"ping","id":"p"}\n';
  peer.send(line.repeat(500) + '{"type":"add","data":1,"id":"a"}');
  for (let count = 0; count < 500; count++) assert.equal((await peer.receiveJson()).id, "p");
  assert.deepEqual(await peer.receiveJson(), { type: "reply", id: "a", ok: true });
  peer.send(line.repeat(1_000));
  assert.equal((await peer.closed()).code, 4429);
});

test("a ping is not user activity: the session still idles out", async () => {
  const clock = new FakeClock();
  let seenAt = () => 0;
  class Watched extends Slow {
    override connect() {
      seenAt = () => this.scope.connection.lastReceivedAt;
      this.accept();
    }
  }
  const peer = communicate(Watched, { clock });
  await peer.connect();
  const before = seenAt();
  await clock.advance(30_000);
  peer.sendJson({ type: "ping", id: "1" });
  await peer.receiveJson();
  assert.equal(seenAt(), before);
  peer.sendJson({ type: "add", data: 1, id: "2" });
  await peer.receiveJson();
  assert.equal(seenAt(), before + 30_000);
});

test("a ping without an id is neither answered nor refused", async () => {
  const peer = await join();
  for (let count = 0; count < 30; count++) peer.sendJson({ type: "ping" });
  assert.equal(await peer.receivesNothing(), true);
});

test("a ping with an invalid id is refused like any frame", async () => {
  const peer = await join();
  for (const id of [9, "", "x".repeat(65), null]) {
    peer.sendJson({ type: "ping", id });
    assert.equal((await peer.receiveJson()).type, "error");
  }
});

test("a ping that asks for the user is answered with the user's id, or null", async () => {
  const ask = { type: "ping", id: "1", data: { ask: "user" } };
  for (const [user, id] of [[{ id: "u1", login: "ada" }, "u1"], [undefined, null], [{}, null]]) {
    const peer = await join({ scope: { user } });
    peer.sendJson(ask);
    const reply = { type: "reply", id: "1", ok: true, data: { user: id } };
    assert.deepEqual(await peer.receiveJson(), reply);
  }
});

test("a plain Consumer receives a ping like any text", async () => {
  class Echo extends Consumer {
    override receive(data: string | Uint8Array) {
      this.send(data);
    }
  }
  const peer = communicate(Echo);
  await peer.connect();
  peer.send('{"type":"ping","id":"9"}');
  assert.equal(await peer.receive(), '{"type":"ping","id":"9"}');
});

test("defineMessages() refuses the reserved type `ping`", () => {
  const declare = () => defineMessages({ client: { ping: { data: v.undefined() } }, server: {} });
  assert.throws(declare, { name: "RangeError", message: /"ping"/ });
});
