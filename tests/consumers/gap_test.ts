import { test } from "node:test";
import assert from "node:assert/strict";
import type { LayerMessage, Scope } from "@sluice/sluice";
import { Consumer, JsonConsumer } from "@sluice/sluice/consumers";
import type { LayerGap, LayerScope } from "@sluice/sluice/layers";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import { communicate, FaultyLayer } from "@sluice/sluice/testing";
import type { TestTarget } from "../../lib/testing/under_test.ts";
import { silent as log } from "../support/silent_log.ts";

const GAP: LayerGap = { since: 1_000, until: 4_000 };

const telling = defineMessages({
  client: {},
  server: { gap: unchecked<{ since: string; until: string }>(), said: unchecked<null>() },
});
const silent = defineMessages({ client: {}, server: { said: unchecked<null>() } });

class Telling extends JsonConsumer<typeof telling, Scope & LayerScope> {
  readonly messages = telling;
  readonly handlers = {};
  override get groups() {
    return ["g"];
  }
}

class Silent extends JsonConsumer<typeof silent, Scope & LayerScope> {
  readonly messages = silent;
  readonly handlers = {};
  override get groups() {
    return ["g"];
  }
}

function peerOf<S>(target: TestTarget<S>, layer: FaultyLayer) {
  return communicate(target, { scope: { layers: { default: layer } } });
}

test("JsonConsumer notifies its clients of a gap if it declares one", async () => {
  const layer = new FaultyLayer();
  await using peer = peerOf(Telling, layer);
  await peer.connect();
  layer.tellGap(GAP);
  assert.deepEqual(await peer.receiveJson(), {
    type: "gap",
    data: { since: "1970-01-01T00:00:01.000Z", until: "1970-01-01T00:00:04.000Z" },
  });
});

test("JsonConsumer sends nothing about a gap if it declares none", async () => {
  const layer = new FaultyLayer();
  await using peer = peerOf(Silent, layer);
  await peer.connect();
  layer.tellGap(GAP);
  assert.equal(await peer.receivesNothing(), true);
});

test("gap() runs in turn: after earlier messages and before later ones", async () => {
  const layer = new FaultyLayer();
  const release = Promise.withResolvers<void>();
  const steps: string[] = [];
  class Slow extends Consumer<Scope & LayerScope> {
    override get groups() {
      return ["g"];
    }
    override async event({ type }: LayerMessage) {
      steps.push(`${type} begins`);
      await release.promise;
      steps.push(`${type} ends`);
    }
    override async gap({ since, until }: LayerGap) {
      steps.push(`gap of ${until - since} begins`);
      await Promise.resolve();
      steps.push("gap ends");
    }
  }
  await using peer = peerOf(Slow, layer);
  await peer.connect();
  await layer.groupSend("g", { type: "before" });
  layer.tellGap(GAP);
  await layer.groupSend("g", { type: "after" });
  release.resolve();
  assert.equal(await peer.receivesNothing(), true);
  assert.deepEqual(steps, [
    "before begins",
    "before ends",
    "gap of 3000 begins",
    "gap ends",
    "after begins",
    "after ends",
  ]);
});

test("a consumer that has ended, or is in no group yet, is not notified of a gap", async () => {
  const layer = new FaultyLayer();
  let gaps = 0;
  class Counting extends Consumer<Scope & LayerScope> {
    override get groups() {
      return ["g"];
    }
    override connect() {
      layer.tellGap(GAP);
      this.accept();
    }
    override gap() {
      gaps++;
    }
  }
  const peer = peerOf(Counting, layer);
  await peer.connect();
  assert.equal(gaps, 0);
  layer.tellGap(GAP);
  assert.equal(gaps, 1);
  await peer.disconnect();
  layer.tellGap(GAP);
  assert.equal(gaps, 1);
});

test("gap() that fails ends its connection with 1011, and no other", async () => {
  const layer = new FaultyLayer();
  class Failing extends Consumer<Scope & LayerScope> {
    override get groups() {
      return ["g"];
    }
    override gap() {
      throw new Error("state is gone");
    }
  }
  const peer = communicate(Failing, { scope: { layers: { default: layer } }, raise: false, log });
  await using other = peerOf(Telling, layer);
  await peer.connect();
  await other.connect();
  layer.tellGap(GAP);
  assert.equal((await peer.closed()).code, 1011);
  assert.equal((await other.receiveJson()).type, "gap");
});

test("a message called gap cannot declare other data", () => {
  // @ts-expect-error: its data must have `since` and `until`.
  defineMessages({ client: {}, server: { gap: unchecked<{ readonly width: number }>() } });
});

test("a consumer that missed messages because its mailbox was full is told of one gap", async () => {
  const layer = new FaultyLayer();
  const release = Promise.withResolvers<void>();
  const steps: string[] = [];
  class Busy extends Consumer<Scope & LayerScope> {
    override get groups() {
      return ["g"];
    }
    override async event({ type }: LayerMessage) {
      steps.push(type);
      await release.promise;
    }
    override gap() {
      steps.push("gap");
      this.send("told");
    }
  }
  await using peer = peerOf(Busy, layer);
  await peer.connect();
  for (let i = 0; i < 110; i++) await layer.groupSend("g", { type: `m${i}` });
  release.resolve();
  assert.equal(await peer.receive(), "told");
  // One message was being handled, and the mailbox holds 100.
  assert.deepEqual(steps, [...Array.from({ length: 101 }, (_, i) => `m${i}`), "gap"]);
});
