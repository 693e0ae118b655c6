import { test } from "node:test";
import assert from "node:assert/strict";
import { Refusal, type Scope } from "@sluice/sluice";
import { Consumer } from "@sluice/sluice/consumers";
import { type LayerScope, MemoryChannelLayer } from "@sluice/sluice/layers";
import { communicate, FakeClock, settle } from "@sluice/sluice/testing";
import { silent as log } from "../support/silent_log.ts";

function layerScope() {
  const layer = new MemoryChannelLayer();
  return { layer, scope: { layers: { default: layer } } };
}

test("Consumer accepts everyone by default, with the common subprotocol", async () => {
  class Plain extends Consumer {}
  const peer = communicate(Plain, { subprotocols: ["other", "sluice.v1"] });
  const result = await peer.connect();
  assert.equal(result.accepted && result.subprotocol, "sluice.v1");
  const without = await communicate(Plain, { subprotocols: ["other"] }).connect();
  assert.equal(without.accepted && without.subprotocol, undefined);
});

test("accept() sends additional headers with the 101", async () => {
  class Headed extends Consumer {
    override connect() {
      return this.accept({ headers: { "x-room": "lobby" } });
    }
  }
  const result = await communicate(Headed).connect();
  assert.equal(result.accepted && result.headers.get("x-room"), "lobby");
});

test("refuse() refuses with 403 FORBIDDEN, as does connect() without a decision", async () => {
  class Denying extends Consumer {
    override connect() {
      this.refuse();
    }
  }
  class Undecided extends Consumer {
    override connect() {}
  }
  for (const consumer of [Denying, Undecided]) {
    assert.deepEqual(await communicate(consumer).connect(), {
      accepted: false,
      status: 403,
      code: "FORBIDDEN",
    });
  }
});

test("connect() refuses with the Refusal that it throws", async () => {
  class Full extends Consumer {
    override connect() {
      throw new Refusal("ROOM_FULL", { status: 429 });
    }
  }
  const result = await communicate(Full).connect();
  assert.deepEqual(result, { accepted: false, status: 429, code: "ROOM_FULL" });
});

test("an error in connect() is a 500 without details", async () => {
  class Buggy extends Consumer {
    override connect(): void {
      throw new Error("secret");
    }
  }
  const response = await communicate(Buggy, { log, raise: false }).request({
    upgrade: "websocket",
    connection: "upgrade",
  });
  assert.equal(response.status, 500);
  const text = await response.text();
  assert.match(text, /"code":"INTERNAL"/);
  assert.doesNotMatch(text, /secret/);
});

test("accept() stops a plain GET with 426, and no later code runs", async () => {
  const ran: string[] = [];
  class Careful extends Consumer {
    override async connect() {
      ran.push("before");
      await this.accept();
      ran.push("after");
    }
    override disconnect() {
      ran.push("disconnect");
    }
  }
  assert.equal((await communicate(Careful, { log }).request()).status, 426);
  await settle();
  assert.deepEqual(ran, ["before"]);
});

test("groups are joined after connect() accepts, and never for a refused client", async () => {
  const { layer, scope } = layerScope();
  const seen: number[] = [];
  class Grouped extends Consumer<Scope & LayerScope> {
    override get groups() {
      return ["news"];
    }
    override async connect() {
      seen.push((await layer.groupSend("news", { type: "probe" })).delivered);
      if (this.scope.query.has("deny")) return this.refuse();
      await this.accept();
      seen.push((await layer.groupSend("news", { type: "probe" })).delivered);
    }
    override event() {}
  }
  await communicate(Grouped, { scope }).connect();
  assert.deepEqual(seen, [0, 1]);
  await communicate(Grouped, { scope, path: "/?deny" }).connect();
  assert.deepEqual(await layer.groupSend("news", { type: "probe" }), {
    delivered: 1,
    queued: 0,
    dropped: 0,
    processes: 0,
  });
});

test("a connection that ends is in no group from then on", async () => {
  const { layer, scope } = layerScope();
  class Grouped extends Consumer<Scope & LayerScope> {
    override get groups() {
      return ["news"];
    }
    override event() {}
  }
  const peer = communicate(Grouped, { scope });
  await peer.connect();
  assert.equal((await layer.groupSend("news", { type: "x" })).delivered, 1);
  await peer.disconnect();
  assert.equal((await layer.groupSend("news", { type: "x" })).delivered, 0);
});

test("Consumer handles messages of client and layer one at a time and in order", async () => {
  const { scope } = layerScope();
  const trace: string[] = [];
  let release = () => {};
  class Slow extends Consumer<Scope & LayerScope> {
    override async receive(data: string | Uint8Array) {
      trace.push(`begin ${data}`);
      if (data === "1") await new Promise<void>((resolve) => release = resolve);
      trace.push(`end ${data}`);
    }
    override async connect() {
      await this.accept();
      await this.groupAdd("g");
    }
    override event({ type }: { type: string }) {
      trace.push(type);
    }
  }
  const peer = communicate(Slow, { scope });
  await peer.connect();
  peer.send("1");
  await scope.layers.default.groupSend("g", { type: "layer" });
  peer.send("2");
  await settle();
  assert.deepEqual(trace, ["begin 1"]);
  release();
  await settle();
  assert.deepEqual(trace, ["begin 1", "end 1", "layer", "begin 2", "end 2"]);
});

test("messages that arrive before connect() has finished wait for it", async () => {
  const trace: unknown[] = [];
  let release = () => {};
  class Slow extends Consumer {
    override async connect() {
      await this.accept();
      await new Promise<void>((resolve) => release = resolve);
      trace.push("connected");
    }
    override receive(data: string | Uint8Array) {
      trace.push(data);
    }
  }
  const peer = communicate(Slow);
  await peer.connect();
  peer.send("early");
  await settle();
  assert.deepEqual(trace, []);
  release();
  await settle();
  assert.deepEqual(trace, ["connected", "early"]);
});

test("an error in receive() closes with 1011 without details", async () => {
  class Buggy extends Consumer {
    override receive(): void {
      throw new Error("secret");
    }
  }
  const peer = communicate(Buggy, { log, raise: false });
  await peer.connect();
  peer.send("x");
  assert.deepEqual(await peer.closed(), { code: 1011, reason: "internal error" });
});

test("close() sends its code and reason, and nothing is sent or handled after it", async () => {
  const handled: unknown[] = [];
  class Closing extends Consumer {
    override receive(data: string | Uint8Array) {
      handled.push(data);
      this.close(4000, "enough");
      assert.equal(this.send("late"), false);
    }
  }
  const peer = communicate(Closing);
  await peer.connect();
  peer.send("1");
  peer.send("2");
  assert.deepEqual(await peer.closed(), { code: 4000, reason: "enough" });
  assert.deepEqual(handled, ["1"]);
  assert.equal(await peer.receivesNothing(), true);
});

test("disconnect() runs once with the peer's code, however often the end is reported", async () => {
  const ends: number[] = [];
  class Ending extends Consumer {
    override disconnect(code: number) {
      ends.push(code);
    }
  }
  const peer = communicate(Ending);
  await peer.connect();
  await peer.disconnect(1001);
  await peer.disconnect(1005);
  assert.deepEqual(ends, [1001]);
});

test("disconnect() waits for a running handler, for at most 5 s", async () => {
  const clock = new FakeClock();
  const trace: string[] = [];
  class Stuck extends Consumer {
    override async receive() {
      await new Promise(() => {});
    }
    override disconnect() {
      trace.push("disconnect");
    }
  }
  const peer = communicate(Stuck, { clock });
  await peer.connect();
  peer.send("x");
  await peer.disconnect();
  assert.deepEqual(trace, []);
  await clock.advance(5_000);
  assert.deepEqual(trace, ["disconnect"]);
  await clock.advance(10_000); // What the server waits for at most runs out.
  assert.equal(clock.pending, 0);
});

test("an error in disconnect() is logged and affects no other connection", async () => {
  const errors: unknown[] = [];
  class Buggy extends Consumer {
    override disconnect(): void {
      throw new Error("bug");
    }
  }
  const peer = communicate(Buggy, {
    raise: false,
    log: { ...log, error: (message: string) => void errors.push(message) },
  });
  await peer.connect();
  await peer.disconnect();
  assert.equal(errors.length, 1);
});

test("a group operation without a layer fails with an error that names the missing layer", async () => {
  const messages: string[] = [];
  class Lonely extends Consumer {
    override async connect() {
      await this.accept();
      await this.groupAdd("g");
    }
  }
  const peer = communicate(Lonely, {
    raise: false,
    log: { ...log, error: (_message, fields) => void messages.push(String(fields?.error)) },
  });
  await peer.connect();
  assert.equal((await peer.closed()).code, 1011);
  assert.match(messages[0]!, /withLayer/);
});
