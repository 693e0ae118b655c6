import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import * as v from "valibot";
import type { Scope } from "@sluice/sluice";
import { type EventHandlersOf, type HandlersOf, JsonConsumer } from "@sluice/sluice/consumers";
import { type LayerScope, MemoryChannelLayer } from "@sluice/sluice/layers";
import { defineMessages, FrameError, unchecked } from "@sluice/sluice/protocol";
import { communicate, FakeClock } from "@sluice/sluice/testing";

const messages = defineMessages({
  client: {
    add: {
      data: v.object({ a: v.number(), b: v.number() }),
      reply: unchecked<{ readonly sum: number }>(),
    },
    shout: { data: v.object({ text: v.string() }) },
    fail: { data: v.optional(v.literal("refuse")) },
  },
  server: { shouted: unchecked<{ readonly text: string }>() },
  layer: { poke: unchecked<{ readonly by: string }>() },
});

class Calculator extends JsonConsumer<typeof messages, Scope & LayerScope> {
  readonly messages = messages;
  readonly handlers = handlers;
  override readonly events = events;
  override get groups() {
    return ["all"];
  }
}

const handlers: HandlersOf<Calculator> = {
  add: ({ a, b }) => ({ sum: a + b }),
  async shout({ text }) {
    await this.groupSend("all", { type: "shouted", data: { text: text.toUpperCase() } });
  },
  fail(how) {
    if (how === "refuse") throw new FrameError("FORBIDDEN", "Not you");
    throw new Error("secret");
  },
};

const events: EventHandlersOf<Calculator> = {
  poke({ by }) {
    this.sendJson({ type: "shouted", data: { text: `poked by ${by}` } });
  },
};

const errors: unknown[] = [];
const log = {
  debug() {},
  info() {},
  warn() {},
  error: (message: string) => void errors.push(message),
};

async function calculator(options: { subprotocols?: string[] } = {}) {
  const layer = new MemoryChannelLayer();
  const clock = new FakeClock();
  const peer = communicate(Calculator, {
    log,
    raise: false,
    clock,
    scope: { layers: { default: layer } },
    ...options,
  });
  await peer.connect();
  return { peer, layer, clock };
}

test("the return value of a handler is the reply to a frame with an id", async () => {
  const { peer } = await calculator();
  peer.sendJson({ type: "add", data: { a: 1, b: 2 }, id: "7" });
  assert.deepEqual(await peer.receiveJson(), {
    type: "reply",
    id: "7",
    ok: true,
    data: { sum: 3 },
  });
});

test("a frame without an id gets no reply", async () => {
  const { peer } = await calculator();
  peer.sendJson({ type: "add", data: { a: 1, b: 2 } });
  assert.equal(await peer.receivesNothing(), true);
});

test("invalid data is refused with each issue, and no handler sees it", async () => {
  const { peer } = await calculator();
  peer.sendJson({ type: "add", data: { a: "1" }, id: "7" });
  const { error, ...rest } = await peer.receiveJson();
  assert.deepEqual(rest, { type: "reply", id: "7", ok: false });
  const { code, issues } = error as { code: string; issues: { path: string }[] };
  assert.equal(code, "INVALID_MESSAGE");
  assert.deepEqual(issues.map(({ path }) => path), ["data.a", "data.b"]);
});

const BAD: [frame: string, code: string][] = [
  ["not json", "INVALID_JSON"],
  ["[]", "INVALID_MESSAGE"],
  ['{"type":"nothing"}', "UNKNOWN_TYPE"],
  ['{"type":"__proto__"}', "UNKNOWN_TYPE"],
  ['{"type":"constructor"}', "UNKNOWN_TYPE"],
  ['{"type":"toString"}', "UNKNOWN_TYPE"],
  ['{"type":"connect"}', "UNKNOWN_TYPE"],
  ['{"type":"shouted","data":{}}', "UNKNOWN_TYPE"],
  ['{"type":"poke","data":{}}', "UNKNOWN_TYPE"],
];
for (const [frame, code] of BAD) {
  test(`the frame ${frame} is refused with ${code}, and the socket stays open`, async () => {
    const { peer } = await calculator();
    peer.send(frame);
    const answer = await peer.receiveJson();
    assert.equal(answer.type, "error");
    assert.equal((answer.error as { code: string }).code, code);
    peer.sendJson({ type: "add", data: { a: 1, b: 1 }, id: "1" });
    assert.equal((await peer.receiveJson()).ok, true);
  });
}

test("the 20th invalid frame within a minute closes with 4400; spread over more time it does not", async () => {
  const { peer, clock } = await calculator();
  peer.send("bad");
  await clock.advance(60_000);
  for (let count = 0; count < 19; count++) peer.send("bad");
  peer.sendJson({ type: "add", data: { a: 1, b: 1 }, id: "1" });
  for (let count = 0; count < 20; count++) await peer.receiveJson();
  assert.equal((await peer.receiveJson()).ok, true);
  peer.send("bad");
  assert.equal((await peer.closed()).code, 4400);
});

test("a FrameError thrown by a handler is the refusal, and is not counted as invalid", async () => {
  const { peer } = await calculator();
  for (let count = 0; count < 25; count++) {
    peer.sendJson({ type: "fail", data: "refuse", id: "7" });
    const { error } = await peer.receiveJson();
    assert.deepEqual(error, { code: "FORBIDDEN", message: "Not you" });
  }
});

test("an error in a handler is logged and answered with INTERNAL without details, and the socket stays open", async () => {
  const { peer } = await calculator();
  errors.length = 0;
  peer.sendJson({ type: "fail", id: "7" });
  const text = await peer.receive() as string;
  assert.match(text, /"code":"INTERNAL"/);
  assert.doesNotMatch(text, /secret/);
  assert.equal(errors.length, 1);
  peer.sendJson({ type: "add", data: { a: 1, b: 1 }, id: "1" });
  assert.equal((await peer.receiveJson()).ok, true);
});

test("a binary message closes with 1003", async () => {
  const { peer } = await calculator();
  peer.send(new Uint8Array([1]));
  assert.equal((await peer.closed()).code, 1003);
});

test("a message with several lines holds several frames with sluice.v1", async () => {
  const { peer } = await calculator({ subprotocols: ["sluice.v1"] });
  const frame = (id: string) => JSON.stringify({ type: "add", data: { a: 1, b: 1 }, id });
  peer.send(`${frame("1")}\n${frame("2")}\n`);
  assert.equal((await peer.receiveJson()).id, "1");
  assert.equal((await peer.receiveJson()).id, "2");
});

test("a message is one frame, including line breaks, without the subprotocol", async () => {
  const { peer } = await calculator();
  peer.send(JSON.stringify({ type: "add", data: { a: 1, b: 1 }, id: "1" }, null, 2));
  assert.equal((await peer.receiveJson()).ok, true);
});

test("groupSend() forwards messages for clients as they are, and those for consumers to their handlers", async () => {
  const { peer, layer } = await calculator();
  peer.sendJson({ type: "shout", data: { text: "hey" } });
  assert.deepEqual(await peer.receiveJson(), { type: "shouted", data: { text: "HEY" } });
  await layer.groupSend("all", { type: "poke", data: { by: "ada" } });
  assert.deepEqual(await peer.receiveJson(), { type: "shouted", data: { text: "poked by ada" } });
});

test("a reply is sent before the group message of its handler", async () => {
  const { peer } = await calculator();
  peer.sendJson({ type: "shout", data: { text: "hey" }, id: "1" });
  assert.equal((await peer.receiveJson()).type, "reply");
  assert.equal((await peer.receiveJson()).type, "shouted");
});

test("frames over the rate limit are refused with RATE_LIMITED, then the socket closes with 4429", async () => {
  const { peer } = await calculator();
  for (let count = 0; count < 101; count++) {
    peer.sendJson({ type: "add", data: { a: 1, b: 1 }, id: String(count) });
  }
  for (let count = 0; count < 100; count++) assert.equal((await peer.receiveJson()).ok, true);
  const refused = await peer.receiveJson();
  assert.equal(refused.id, "100");
  assert.equal((refused.error as { code: string }).code, "RATE_LIMITED");
  for (let count = 0; count < 99; count++) peer.sendJson({ type: "add", data: { a: 1, b: 1 } });
  assert.equal((await peer.closed()).code, 4429);
});

test("the rate limit recovers with time", async () => {
  const { peer, clock } = await calculator();
  const add = { type: "add", data: { a: 1, b: 1 }, id: "x" };
  for (let count = 0; count < 100; count++) peer.sendJson(add);
  for (let count = 0; count < 100; count++) await peer.receiveJson();
  await clock.advance(1000);
  for (let count = 0; count < 50; count++) peer.sendJson(add);
  for (let count = 0; count < 50; count++) assert.equal((await peer.receiveJson()).ok, true);
});

test("random frames reach no handler unless they are valid, and never end the process", async () => {
  const { peer } = await calculator();
  const frames = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ type: fc.constantFrom("add", "shout", "fail"), data: fc.jsonValue() }),
  );
  fc.assert(
    fc.property(frames, (frame) => {
      peer.send(typeof frame === "string" ? frame : JSON.stringify(frame));
    }),
    { numRuns: 1000 },
  );
  assert.ok(await peer.receive());
});
