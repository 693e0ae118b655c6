import { test } from "node:test";
import assert from "node:assert/strict";
import * as v from "valibot";
import { type HandlersOf, JsonConsumer } from "@sluice/sluice/consumers";
import { defineMessages, type } from "@sluice/sluice/protocol";

const messages = defineMessages({
  client: {
    say: { data: v.object({ text: v.string() }), reply: type<{ readonly id: string }>() },
    ping: { data: v.undefined() },
  },
  server: { said: type<{ readonly text: string }>() },
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

const handlers: HandlersOf<Chat> = { say: ({ text }) => ({ id: text }), ping() {} };

test("handlers that are missing, misspelt or wrong do not compile", () => {
  // @ts-expect-error The handler of "ping" is missing.
  const missing: HandlersOf<Chat> = { say: ({ text }) => ({ id: text }) };
  // @ts-expect-error There is no message "sya".
  const misspelt: HandlersOf<Chat> = { say: () => ({ id: "" }), ping() {}, sya() {} };
  // @ts-expect-error The reply lacks its id.
  const noReply: HandlersOf<Chat> = { say: () => ({}), ping() {} };
  // @ts-expect-error The text is no number.
  const wrong: HandlersOf<Chat> = { ping() {}, say: (data: { id: 1 }) => ({ id: `${data.id}` }) };
  // @ts-expect-error "ping" has no reply.
  const reply: HandlersOf<Chat> = { say: () => ({ id: "" }), ping: () => 1 };
  class NoHandlers extends JsonConsumer<typeof messages> {
    readonly messages = messages;
    // @ts-expect-error A handler is missing here too.
    readonly handlers = {};
  }
  assert.ok([missing, misspelt, noReply, wrong, reply, NoHandlers, Chat].length);
});
