import { test } from "node:test";
import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import type { Log } from "@sluice/sluice/server";
import { Consumer, type HandlersOf, JsonConsumer, messageSender } from "@sluice/sluice/consumers";
import { type LayerScope, MemoryChannelLayer } from "@sluice/sluice/layers";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import { communicate } from "@sluice/sluice/testing";

const messages = defineMessages({
  client: {},
  server: { said: unchecked<{ readonly text: string }>() },
  layer: { counted: unchecked<number>() },
});

class Quiz extends JsonConsumer<typeof messages, Scope & LayerScope> {
  readonly messages = messages;
  readonly handlers: HandlersOf<Quiz> = {};
  override readonly events = { counted() {} };

  override get groups(): readonly string[] {
    return ["quiz"];
  }
}

class Plain extends Consumer<Scope & LayerScope> {
  override get groups(): readonly string[] {
    return ["quiz"];
  }

  override receive(data: string | Uint8Array): void {
    this.send(data);
  }
}

/** A log that collects its warnings. */
function createLog(): { readonly log: Log; readonly warnings: unknown[] } {
  const warnings: unknown[] = [];
  const warn: Log["warn"] = (message, fields) => void warnings.push([message, fields?.type]);
  return { log: { debug() {}, info() {}, warn, error() {} }, warnings };
}

test("a layer message without a handler is dropped and logged once, and the socket stays open", async () => {
  const layer = new MemoryChannelLayer();
  const { log, warnings } = createLog();
  const options = { scope: { layers: { default: layer } }, raise: false, log };
  await using quiz = communicate(Quiz, options);
  await quiz.connect();
  for (const type of ["saidd", "saidd", "constructor", "__proto__", "toString", "saidd"]) {
    await layer.groupSend("quiz", { type });
  }
  await layer.groupSend("quiz", { type: "said", data: { text: "Ready?" } });
  assert.deepEqual(await quiz.receiveJson(), { type: "said", data: { text: "Ready?" } });
  const dropped = "Dropped a layer message: no handler for its type";
  const types = ["saidd", "constructor", "__proto__", "toString"];
  assert.deepEqual(warnings, types.map((type) => [dropped, type]));
});

test("a Consumer without event() drops layer messages and continues", async () => {
  const layer = new MemoryChannelLayer();
  const { log } = createLog();
  const options = { scope: { layers: { default: layer } }, raise: false, log };
  await using plain = communicate(Plain, options);
  await plain.connect();
  await layer.groupSend("quiz", { type: "said" });
  plain.send("still here");
  assert.equal(await plain.receive(), "still here");
});

test("messageSender() sends declared messages, and rejects others before anything is sent", async () => {
  const layer = new MemoryChannelLayer();
  const sender = messageSender(layer, messages);
  await using quiz = communicate(Quiz, { scope: { layers: { default: layer } } });
  await quiz.connect();
  const { delivered } = await sender.groupSend("quiz", { type: "said", data: { text: "Go" } });
  assert.equal(delivered, 1);
  assert.deepEqual(await quiz.receiveJson(), { type: "said", data: { text: "Go" } });
  const sent = layer.stats.sent;
  // @ts-expect-error The type is misspelt.
  await assert.rejects(sender.groupSend("quiz", { type: "saidd", data: { text: "" } }), TypeError);
  // @ts-expect-error So is the name of a property that every object has.
  await assert.rejects(sender.send("quiz", { type: "toString", data: 1 }), TypeError);
  // @ts-expect-error The data of another message.
  const wrong = () => sender.groupSend("quiz", { type: "said", data: 1 });
  assert.equal(typeof wrong, "function");
  assert.equal(layer.stats.sent, sent);
});
