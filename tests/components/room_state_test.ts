import { test } from "node:test";
import assert from "node:assert/strict";
import {
  type Entry,
  MAX_ENTRIES,
  oldestOffset,
  openRoom,
  reduceAll,
  reduceRoom,
  type RoomAction,
  type RoomState,
  TRIMMED_ENTRIES,
} from "../../components/room/room_state.ts";

const ada = { id: "1", login: "ada", name: "Ada", avatarUrl: "" };
const grace = { id: "2", login: "grace", name: "Grace", avatarUrl: "" };
const at = "2026-01-01T00:00:00.000Z";
const entered: RoomAction = { type: "welcome", you: ada };

const emptyRoom = openRoom({ you: ada, before: { messages: [], more: false } });

function room(...actions: RoomAction[]): RoomState {
  return [entered, ...actions].reduce(reduceRoom, emptyRoom);
}

const submitted = (key: string, text: string): RoomAction => ({ type: "submitted", key, text, at });
const heard = (id: string, text: string, user = ada): RoomAction => ({
  type: "heard",
  said: { id, text, user, at },
});
const acknowledged = (key: string, id: string): RoomAction => ({ type: "acknowledged", key, id });
const failed = (key: string, uncertain: boolean): RoomAction => ({
  type: "failed",
  key,
  reason: "Lost",
  uncertain,
});

/** Returns the visible entries: text and status of each line, and the marks of an absence. */
function shown({ entries, outbox }: RoomState): string[] {
  const isShown = (entry: Entry) => entry.kind === "away" || !entry.held;
  return [...entries.filter(isShown), ...outbox].map((entry) =>
    entry.kind === "away" ? "away" : `${entry.text} ${entry.status}`
  );
}

test("your own message is shown at once and only once, in either order of reply and echo", () => {
  const start = [submitted("a", "Hi")];
  assert.deepEqual(shown(room(...start)), ["Hi pending"]);
  const reply = acknowledged("a", "m1");
  const echo = heard("m1", "Hi");
  assert.deepEqual(shown(room(...start, reply)), ["Hi sent"]);
  assert.deepEqual(shown(room(...start, echo)), ["Hi pending"]);
  assert.deepEqual(shown(room(...start, reply, echo)), ["Hi sent"]);
  assert.deepEqual(shown(room(...start, echo, reply)), ["Hi sent"]);
});

test("a message keeps its key from pending to sent, so that its place on the page stays", () => {
  for (
    const order of [[acknowledged("a", "m1"), heard("m1", "Hi")], [
      heard("m1", "Hi"),
      acknowledged("a", "m1"),
    ]]
  ) {
    assert.deepEqual(room(submitted("a", "Hi"), ...order).entries.map(({ key }) => key), ["a"]);
  }
});

test("the same text sent twice is two messages", () => {
  const state = room(
    submitted("a", "Hi"),
    submitted("b", "Hi"),
    heard("m1", "Hi"),
    heard("m2", "Hi"),
    acknowledged("a", "m1"),
    acknowledged("b", "m2"),
  );
  assert.deepEqual(shown(state), ["Hi sent", "Hi sent"]);
  assert.deepEqual(state.entries.map(({ key }) => key), ["a", "b"]);
});

test("messages are shown in the server's order", () => {
  const state = room(
    submitted("a", "mine"),
    heard("m1", "hers", grace),
    heard("m2", "mine"),
    heard("m3", "hers again", grace),
    acknowledged("a", "m2"),
  );
  assert.deepEqual(shown(state), ["hers sent", "mine sent", "hers again sent"]);
});

test("a message from your other window is shown even while the same text is pending here", () => {
  assert.deepEqual(shown(room(heard("m1", "there"))), ["there sent"]);
  const state = room(
    submitted("a", "Hi"),
    heard("other", "Hi"),
    heard("m1", "Hi"),
    acknowledged("a", "m1"),
  );
  assert.deepEqual(shown(state), ["Hi sent", "Hi sent"]);
});

test("a failed message shows the reason, and can be retried or discarded", () => {
  const state = room(submitted("a", "Hi"), failed("a", false));
  assert.deepEqual(shown(state), ["Hi failed"]);
  assert.equal(state.outbox[0]?.reason, "Lost");
  assert.deepEqual(shown(reduceRoom(state, submitted("a", "Hi"))), ["Hi pending"]);
  assert.deepEqual(shown(reduceRoom(state, { type: "discarded", key: "a" })), []);
});

test("a message with a lost reply counts as sent if its echo arrives before or after", () => {
  const before = room(submitted("a", "Hi"), heard("m1", "Hi"), failed("a", true));
  const after = room(submitted("a", "Hi"), failed("a", true), heard("m1", "Hi"));
  for (const state of [before, after]) {
    assert.deepEqual(shown(state), ["Hi sent"]);
    assert.deepEqual(state.entries.map(({ key }) => key), ["a"]);
  }
});

test("an echo of another window does not confirm a refused message", () => {
  const state = room(submitted("a", "Hi"), failed("a", false), heard("other", "Hi"));
  assert.deepEqual(shown(state), ["Hi sent", "Hi failed"]);
});

test("missed messages are marked once, before the first of them", () => {
  const recovered = (missed: number): RoomAction => ({
    type: "recovered",
    missed,
    recovered: true,
  });
  const first = room(
    heard("m1", "1", grace),
    heard("m2", "2", grace),
    heard("m3", "3", grace),
    recovered(2),
  );
  assert.deepEqual(shown(first), ["1 sent", "away", "2 sent", "3 sent"]);
  const missed = first.entries.map((entry) => entry.kind === "line" && entry.isMissed === true);
  assert.deepEqual(missed, [false, false, true, true]);
  const second = [heard("m4", "4", grace), recovered(1)].reduce(reduceRoom, first);
  assert.deepEqual(shown(second), ["1 sent", "2 sent", "3 sent", "away", "4 sent"]);
  assert.equal(reduceRoom(second, recovered(0)), second);
});

test("lost messages are marked even if none was missed", () => {
  const state = room(heard("m1", "1", grace), { type: "recovered", missed: 0, recovered: false });
  assert.deepEqual(shown(state), ["1 sent", "away"]);
});

test("older messages are added above, each once, and are not trimmed at once", () => {
  const said = (number: number) => ({
    id: `m${number}`,
    text: `${number}`,
    user: grace,
    at,
    offset: number,
  });
  const messages = [said(8), said(9)];
  const opened = openRoom({ you: ada, before: { messages, more: true } });
  assert.deepEqual([shown(opened), oldestOffset(opened)], [["8 sent", "9 sent"], 8]);
  const older: RoomAction = { type: "older", messages: [said(6), said(7), said(8)], more: false };
  let state = reduceRoom(opened, older);
  assert.deepEqual(shown(state), ["6 sent", "7 sent", "8 sent", "9 sent"]);
  assert.deepEqual([oldestOffset(state), state.hasOlder], [6, false]);
  for (let n = 10; n < MAX_ENTRIES + 8; n++) {
    state = reduceRoom(state, { type: "heard", said: said(n) });
  }
  assert.deepEqual([oldestOffset(state), state.hasOlder], [6, false]);
  state = reduceRoom(state, { type: "heard", said: said(MAX_ENTRIES + 8) });
  assert.equal(state.hasOlder, true);
});

test("a long room removes its oldest messages in blocks, not one for each that arrives", () => {
  let state = room();
  const trims: number[] = [];
  for (let n = 0; n < 1_500; n++) {
    const next = reduceRoom(state, heard(`m${n}`, `${n}`, grace));
    const removed = state.entries.length + 1 - next.entries.length;
    if (removed > 0) trims.push(removed);
    state = next;
    assert.ok(state.entries.length <= MAX_ENTRIES);
    assert.equal(state.hasOlder, n >= MAX_ENTRIES);
    assert.equal(state.entries.at(-1)?.key, `m${n}`);
  }
  const block = MAX_ENTRIES + 1 - TRIMMED_ENTRIES;
  assert.ok(trims.length > 0 && trims.every((removed) => removed === block), trims.join());
  assert.ok(block >= 100 && TRIMMED_ENTRIES >= 500);
});

test("reduceAll() equals applying its actions one by one", () => {
  const actions = [heard("m1", "Hi", grace), submitted("a", "Ho"), acknowledged("a", "m2")];
  const state = room();
  assert.deepEqual(reduceAll(state, actions), actions.reduce(reduceRoom, state));
});
