import { test } from "node:test";
import assert from "node:assert/strict";
import { connect, type ConnectOptions } from "@sluice/sluice/client";
import { FakeEnvironment, type FakeSocket } from "./fake_environment.ts";

const GRACE = "grace";

function join(options: ConnectOptions = {}) {
  const environment = new FakeEnvironment();
  const room = connect("/ws/chat/lobby", { environment, ...options });
  const errors: string[] = [];
  room.onError(({ code }) => errors.push(code));
  return { environment, room, errors };
}

/** Lost as Ada's; the next socket is another user's, or a server's that tells no user. */
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

test("what waited in one user's name is never sent in another's", async () => {
  for (const other of [GRACE, null, undefined]) {
    const { environment, room, errors } = join();
    environment.socket.open();
    environment.socket.end();
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
});

test("what waited is sent, in order, when the same user is back", async () => {
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

test("what is written before the new connection has told its user waits for that too", async () => {
  const { environment, room, errors } = join();
  environment.socket.open();
  environment.socket.end();
  const socket = await comeBackAs(environment, GRACE, false);
  room.send("say", { text: "as ada" });
  socket.answer(socket.pings[0]!);
  assert.deepEqual([errors, socket.sent], [["IDENTITY_CHANGED"], []]);
});

test("what is written on a live connection waits for its user, also if nothing may wait for one", async () => {
  const { environment, room } = join({ maxQueued: 0 });
  environment.socket.open();
  environment.socket.end();
  assert.throws(() => room.send("say", {}), { code: "QUEUE_FULL" });
  const socket = await comeBackAs(environment, "ada", false);
  room.send("say", { text: "1" });
  socket.answer(socket.pings[0]!);
  assert.equal(socket.sent.length, 1);
});

test("a connection that is lost before it told its user keeps what waits for the next", async () => {
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

test("the option `user` keeps what is sent before the first connection for that user", async () => {
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

test("a server that tells no user gets what waited at once, as there is nothing to compare", async () => {
  const { environment, room, errors } = join();
  environment.socket.answersPings = false;
  environment.socket.open();
  environment.socket.end();
  room.send("say", { text: "1" });
  const socket = await comeBackAs(environment, undefined, false);
  assert.deepEqual([errors, socket.sent.length], [[], 1]);
});
