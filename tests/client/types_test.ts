import { test } from "node:test";
import assert from "node:assert/strict";
import { connect, type RealtimeSocket } from "@sluice/sluice/client";
import { useHistory, usePresence } from "@sluice/sluice/react";
import type { ChatMessages } from "../support/client/chat_messages.ts";
import { FakeEnvironment } from "../support/client/fake_environment.ts";

/** Compiles only if `A` and `B` are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true
  : false;

/**
 * Never called: the compiler is the test, and an expected error that does not occur fails the check.
 */
function checked(room: RealtimeSocket<ChatMessages>): void {
  room.send("say", { text: "hello" });
  room.send("typing", {});
  // @ts-expect-error: the data of another type
  room.send("say", { on: true });
  // @ts-expect-error: a value of the wrong type
  room.send("say", { text: 1 });
  // @ts-expect-error: missing data
  room.send("say");
  // @ts-expect-error: unknown message
  room.send("shout", { text: "hello" });
  // @ts-expect-error: a server message
  room.send("said", { text: "hello" });

  const said = room.request("say", { text: "hello" });
  const typed = room.request("typing", { on: false }, { timeoutMs: 5 });
  // @ts-expect-error: wrong data of a request
  room.request("say", { texts: [] });
  // @ts-expect-error: unknown option
  room.request("typing", {}, { timeout: 5 });

  room.on("said", (data, frame) => {
    const same: Same<typeof data, { text: string }> = true;
    const offset: number | undefined = frame.offset;
    return [same, offset];
  });
  // @ts-expect-error: unknown server message
  room.on("say", () => {});
  // @ts-expect-error: the message has no such field
  room.on("left", ({ text }) => text);

  const replies: [
    Same<typeof said, Promise<{ id: string }>>,
    Same<typeof typed, Promise<undefined>>,
  ] = [true, true];
  // @ts-expect-error: unknown state
  const offline = room.state === "offline";
  void [replies, offline];
}

/** Never called, as above. */
function checkedHooks(room: RealtimeSocket<ChatMessages>): void {
  const history = useHistory(room, {
    stream: "room",
    messages: { said: ({ text }, { offset }) => ({ text, offset }), left: ({ login }) => login },
  });
  type Kept = string | { text: string; offset: number | undefined };
  const kept: Same<typeof history.messages, readonly Kept[]> = true;
  // @ts-expect-error: the message has no such field
  useHistory(room, { stream: "room", messages: { said: ({ login }) => login } });
  // @ts-expect-error: unknown server message
  useHistory(room, { stream: "room", messages: { say: () => 1 } });
  const people = usePresence(room, {
    all: { said: ({ text }) => [{ text }] },
    keyOf: ({ text }) => text,
  });
  const present: Same<typeof people, readonly { text: string }[]> = true;
  void [kept, present];
}

test("connect() without a type parameter accepts any message", () => {
  const environment = new FakeEnvironment();
  using socket = connect("/ws/echo", { environment });
  socket.on("anything", (data: unknown) => data);
  socket.send("anything", { at: 1 });
  assert.deepEqual([typeof checked, typeof checkedHooks], ["function", "function"]);
});
