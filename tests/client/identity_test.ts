import { test } from "node:test";
import assert from "node:assert/strict";
import { connect, type ConnectOptions } from "@sluice/sluice/client";
import { FakeEnvironment, type FakeSocket } from "../support/client/fake_environment.ts";

const GRACE = "grace";

function join(options: ConnectOptions = {}) {
  const environment = new FakeEnvironment();
  const room = connect("/ws/chat/lobby", { environment, ...options });
  const errors: string[] = [];
  room.onError(({ code }) => errors.push(code));
  return { environment, room, errors };
}

/**
 * The connection of Ada is lost; the next one belongs to another user, or its server reports no user.
 */
async function comeBackAs(
  environment: FakeEnvironment,
  user: FakeSocket["user"],
  answersPings = true,
): Promise<FakeSocket> {
  await environment.pass(1_000);
  const { socket } = environment;
  socket.user = user;
  socket.answersPings = answersPings;
  socket.open();
  return socket;
}

type Joined = ReturnType<typeof join>;

/** Queues messages of Ada, and asserts that another user's connection rejects them and sends none. */
async function assertNothingCrosses(
  { environment, room, errors }: Joined,
  other: FakeSocket["user"],
): Promise<void> {
  room.send("say", { text: "as ada" });
  const request = assert.rejects(room.request("say", { text: "as ada" }), {
    code: "IDENTITY_CHANGED",
    sent: false,
  });
  const socket = await comeBackAs(environment, other);
  await request;
  assert.deepEqual([errors, socket.sent], [["IDENTITY_CHANGED"], []]);
  room.send("say", { text: "after the change" });
  assert.equal(socket.sent.length, 1);
}

test("queued messages of one user are never sent as another", async () => {
  for (const other of [GRACE, null, undefined]) {
    const joined = join();
    joined.environment.socket.open();
    joined.environment.socket.end();
    await assertNothingCrosses(joined, other);
  }
});

test("queued messages are sent in order when the same user returns", async () => {
  const { environment, room, errors } = join();
  environment.socket.open();
  environment.socket.end();
  room.send("say", { text: "1" });
  const socket = await comeBackAs(environment, "ada", false);
  room.send("say", { text: "2" });
  assert.deepEqual([room.state, socket.sent], ["live", []]);
  socket.answer(socket.pings[0]!);
  assert.deepEqual(socket.frames.map(({ data }) => data), [{ text: "1" }, { text: "2" }]);
  assert.deepEqual(errors, []);
});

test("messages sent before a new connection has reported its user wait for it, too", async () => {
  const { environment, room, errors } = join();
  environment.socket.open();
  environment.socket.end();
  const socket = await comeBackAs(environment, GRACE, false);
  room.send("say", { text: "as ada" });
  socket.answer(socket.pings[0]!);
  assert.deepEqual([errors, socket.sent], [["IDENTITY_CHANGED"], []]);
});

test("messages on a live connection wait for its user even if maxQueued is 0", async () => {
  const { environment, room } = join({ maxQueued: 0 });
  environment.socket.open();
  environment.socket.end();
  assert.throws(() => room.send("say", {}), { code: "QUEUE_FULL" });
  const socket = await comeBackAs(environment, "ada", false);
  room.send("say", { text: "1" });
  socket.answer(socket.pings[0]!);
  assert.equal(socket.sent.length, 1);
});

test("queued messages survive a connection that is lost before it reported its user", async () => {
  const { environment, room, errors } = join();
  environment.socket.open();
  environment.socket.end();
  room.send("say", { text: "as ada" });
  const silent = await comeBackAs(environment, GRACE, false);
  silent.end();
  silent.answer(silent.pings[0]!);
  const socket = await comeBackAs(environment, "ada");
  assert.deepEqual([errors, silent.sent, socket.sent.length], [[], [], 1]);
});

test("the option `user` reserves messages before the first connection for that user", async () => {
  const same = join({ user: "ada" });
  same.room.send("say", { text: "as ada" });
  same.environment.socket.open();
  assert.equal(same.environment.socket.sent.length, 1);
  const other = join({ user: "ada" });
  other.room.send("say", { text: "as ada" });
  const request = assert.rejects(other.room.request("say", {}), { code: "IDENTITY_CHANGED" });
  const socket = await comeBackAs(other.environment, GRACE);
  await request;
  assert.deepEqual([other.errors, socket.sent], [["IDENTITY_CHANGED"], []]);
});

test("queued messages are sent at once to a server that does not report a user", async () => {
  const { environment, room, errors } = join();
  environment.socket.user = undefined;
  environment.socket.open();
  environment.socket.end();
  room.send("say", { text: "1" });
  const socket = await comeBackAs(environment, undefined);
  assert.deepEqual([errors, socket.sent.length], [[], 1]);
});

test("a message queued after a connection that was lost before it reported its user is not sent", async () => {
  const joined = join();
  const { socket } = joined.environment;
  socket.answersPings = false;
  socket.open();
  socket.end();
  await assertNothingCrosses(joined, GRACE);
});

test("a message queued before the first connection is sent, even if its first attempts fail", async () => {
  const { environment, room, errors } = join();
  room.send("say", { text: "early" });
  environment.socket.end();
  const socket = await comeBackAs(environment, "ada");
  assert.equal(socket.sent.length, 1);
  assert.deepEqual(errors, []);
});
