import { test } from "node:test";
import assert from "node:assert/strict";
import * as v from "valibot";
import { type EventHandlersOf, type HandlersOf, JsonConsumer } from "@sluice/sluice/consumers";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import { communicate } from "@sluice/sluice/testing";

const messages = defineMessages({
  client: {
    say: { data: v.object({ text: v.string() }), reply: unchecked<{ readonly id: string }>() },
    poke: { data: v.undefined() },
  },
  server: { said: unchecked<{ readonly text: string }>() },
});

class Chat extends JsonConsumer<typeof messages> {
  readonly messages = messages;
  readonly handlers = handlers;

  wrongSends() {
    // @ts-expect-error There is no message of this type.
    this.sendJson({ type: "sad", data: { text: "x" } });
    // @ts-expect-error The data does not fit.
    this.sendJson({ type: "said", data: { text: 1 } });
    // @ts-expect-error The data does not fit, in a group as well.
    return this.groupSend("g", { type: "said", data: {} });
  }
}

const handlers: HandlersOf<Chat> = { say: ({ text }) => ({ id: text }), poke() {} };

test("missing, misspelt or wrong handlers do not compile", () => {
  // @ts-expect-error The handler of "poke" is missing.
  const missing: HandlersOf<Chat> = { say: ({ text }) => ({ id: text }) };
  // @ts-expect-error There is no message "sya".
  const misspelt: HandlersOf<Chat> = { say: () => ({ id: "" }), poke() {}, sya() {} };
  // @ts-expect-error The reply lacks its id.
  const noReply: HandlersOf<Chat> = { say: () => ({}), poke() {} };
  // @ts-expect-error The text is not a number.
  const wrong: HandlersOf<Chat> = { poke() {}, say: (data: { id: 1 }) => ({ id: `${data.id}` }) };
  // @ts-expect-error "poke" has no reply.
  const reply: HandlersOf<Chat> = { say: () => ({ id: "" }), poke: () => 1 };
  class NoHandlers extends JsonConsumer<typeof messages> {
    readonly messages = messages;
    // @ts-expect-error A handler is missing here too.
    readonly handlers = {};
  }
  assert.ok([missing, misspelt, noReply, wrong, reply, NoHandlers, Chat].length);
});

const inner = defineMessages({
  client: {},
  server: { said: unchecked<{ readonly text: string }>() },
  layer: { poke: unchecked<{ readonly by: string }>(), drop: unchecked<number>() },
});

class Poked extends JsonConsumer<typeof inner> {
  readonly messages = inner;
  readonly handlers = {};
  override readonly events: EventHandlersOf<Poked> = {
    poke: ({ by }) => void this.sendJson({ type: "said", data: { text: by } }),
    drop() {},
  };

  wrongSends() {
    // @ts-expect-error The message between consumers lacks its data.
    this.groupSend("g", { type: "poke", data: {} });
    // @ts-expect-error A message between consumers does not go to clients.
    return this.sendJson({ type: "poke", data: { by: "ada" } });
  }
}

test("missing, misspelt or wrong handlers of messages between consumers do not compile", () => {
  // @ts-expect-error The handler of "drop" is missing.
  const missing: EventHandlersOf<Poked> = { poke() {} };
  // @ts-expect-error There is no message "puke".
  const misspelt: EventHandlersOf<Poked> = { poke() {}, drop() {}, puke() {} };
  // @ts-expect-error The data is not a number.
  const wrong: EventHandlersOf<Poked> = { drop() {}, poke: (data: number) => void data };
  const say = { data: unchecked<string>() };
  // @ts-expect-error A client message needs a schema.
  const noSchema = () => defineMessages({ client: { say }, server: {} });
  assert.ok([missing, misspelt, wrong, noSchema, Poked].length);
});

test("a class without a table for messages between consumers fails at its first connection", async () => {
  class NoTable extends JsonConsumer<typeof inner> {
    readonly messages = inner;
    readonly handlers = {};
  }
  await assert.rejects(communicate(NoTable).connect(), /NoTable: its events lack .* "poke"/);
});
