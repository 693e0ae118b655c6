import assert from "node:assert/strict";
import { test } from "node:test";
import { internalsOf } from "../../../lib/core/internals.ts";
import type { LayerMessage } from "../../../lib/core/consumer.ts";
import { MemoryKeyValue } from "../../../lib/kv/mod.ts";
import type { KvKey, KvResult } from "../../../lib/kv/mod.ts";
import { MemoryChannelLayer } from "../../../lib/layers/mod.ts";
import { type Session, Sessions } from "../../../lib/sessions/mod.ts";
import { KvControlLog } from "../../../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../../../lib/sessions/kv_session_store.ts";
import { RevocationBroadcast } from "../../../lib/sessions/revocation/revocation_broadcast.ts";
import { FakeClock, settle } from "../../../lib/testing/fake_clock.ts";
import { FakeConnection } from "../../support/fake_connection.ts";
import { FakeLog } from "../../support/fake_log.ts";

/** A database that one process can lose. */
class Link extends MemoryKeyValue {
  isCut = false;
  readonly #shared: MemoryKeyValue;

  constructor(shared: MemoryKeyValue) {
    super();
    this.#shared = shared;
  }

  override get<T = unknown>(key: KvKey): Promise<KvResult<T>> {
    return this.isCut ? Promise.reject(new Error("cut")) : this.#shared.get<T>(key);
  }

  override getMany<T = unknown>(keys: readonly KvKey[]): Promise<KvResult<T>[]> {
    return this.isCut ? Promise.reject(new Error("cut")) : this.#shared.getMany<T>(keys);
  }

  override list: MemoryKeyValue["list"] = (range, options) => {
    return this.isCut ? Promise.reject(new Error("cut")) : this.#shared.list(range, options);
  };

  override atomic = () => this.#shared.atomic();
}

/** Two processes: `there` has a socket, and can lose the database. */
async function setUp() {
  const clock = new FakeClock();
  const layer = new MemoryChannelLayer();
  const shared = new MemoryKeyValue();
  const link = new Link(shared);
  const [here, there] = [shared, link].map((kv) => {
    const controlLog = new KvControlLog(kv);
    const store = new KvSessionStore(kv, { clock, controlLog });
    const sessions = new Sessions(store, { clock, controlLog, log: new FakeLog() });
    new RevocationBroadcast(sessions, layer).connect();
    return sessions;
  });
  const { session } = await here!.create({ userId: "ada", provider: "dev" });
  const socket = open(there!, session);
  await pass(clock);
  const sent: LayerMessage[] = [];
  const { newChannel, attach, groupAdd, groupSend } = bound(layer);
  const channel = newChannel("spy");
  attach(channel, { deliver: (message) => sent.push(message) > 0 });
  await groupAdd("sluice.sessions", channel);
  const forge = async (data: object) => {
    await groupSend("sluice.sessions", { type: "sluice.session", data: { ...data } });
    await pass(clock);
  };
  return { clock, here: here!, there: there!, link, session, socket, sent, forge };
}

function bound(layer: MemoryChannelLayer) {
  const inner = internalsOf(layer);
  return {
    newChannel: inner.newChannel.bind(inner),
    attach: inner.attach.bind(inner),
    groupAdd: inner.groupAdd.bind(inner),
    groupSend: inner.groupSend.bind(inner),
  };
}

function open(sessions: Sessions, session: Session): FakeConnection {
  const socket = new FakeConnection();
  sessions.connections.subscribe(session.id, socket);
  sessions.connections.track(session);
  socket.accept();
  return socket;
}

async function pass(clock: FakeClock): Promise<void> {
  for (let step = 0; step < 6; step++) {
    await clock.advance(150);
    for (let turn = 0; turn < 3; turn++) await settle();
  }
}

test("RevocationBroadcast ends a session within a second while the control log cannot be read", async () => {
  const { clock, here, link, session, socket } = await setUp();
  link.isCut = true;
  await here.end(session.id, "signed-out");
  await pass(clock);
  assert.deepEqual(socket.ended, { code: 4401, reason: "signed-out", byServer: true });
});

test("RevocationBroadcast ends a session at once if the control log could not be read before", async () => {
  const { clock, here, link, session, socket } = await setUp();
  link.isCut = true;
  await pass(clock);
  await here.end(session.id, "signed-out");
  for (let turn = 0; turn < 3; turn++) await settle();
  assert.equal(socket.ended?.code, 4401);
});

test("RevocationBroadcast ends nothing because of a message without a genuine signature", async () => {
  const { here, there, link, session, socket, sent, forge, clock } = await setUp();
  const other = await here.create({ userId: "grace", provider: "dev" });
  await here.end(other.session.id, "signed-out");
  await pass(clock);
  const [{ data } = { data: undefined }] = sent;
  const { signatures } = data as { signatures: string[] };
  assert.equal(signatures.length, 1);
  link.isCut = true;
  const ended = { type: "ended", sessionId: session.id, userId: "ada", reason: "signed-out" };
  const period = signatures[0]!.split(".")[0]!;
  for (
    const forged of [undefined, [], signatures, [`${period}.`], ["9999999.x"], [7], "x", {}]
  ) {
    await forge({ ...ended, signatures: forged });
  }
  await forge({ type: "user-ended", userId: "ada", reason: "user-banned", signatures });
  assert.equal(socket.phase, "open");
  assert.equal(there.connections.count(session.id), 1);
});

test("RevocationBroadcast ends no later session because of a repeated message", async () => {
  const { clock, here, there, link, session, socket, sent, forge } = await setUp();
  here.events.announce({ type: "user-ended", userId: "ada", reason: "user-banned" });
  link.isCut = true;
  await pass(clock);
  link.isCut = false;
  await here.end(session.id, "signed-out");
  await pass(clock);
  assert.equal(socket.ended?.code, 4401);
  const later = await here.create({ userId: "ada", provider: "dev" });
  const laterSocket = open(there, later.session);
  await pass(clock);
  link.isCut = true;
  assert.ok(sent.length >= 2);
  for (const { data } of [...sent]) await forge(data as object);
  assert.equal(laterSocket.phase, "open");
});

test("RevocationBroadcast reads the log for a signed message, and applies no event twice", async () => {
  const { clock, here, there, session } = await setUp();
  let applied = 0;
  const { connections } = there;
  const apply = connections.apply.bind(connections);
  connections.apply = (event) => (applied++, apply(event));
  await here.end(session.id, "signed-out");
  await pass(clock);
  assert.equal(applied, 1);
});
