import assert from "node:assert/strict";
import { test } from "node:test";
import {
  KvUserStore,
  requireUser,
  sessionOrTicket,
  type SignedInScope,
  Tickets,
  user,
} from "@sluice/sluice/auth";
import { Consumer } from "@sluice/sluice/consumers";
import { route, stack } from "@sluice/sluice/routing";
import { anyOrigin } from "@sluice/sluice/security";
import { Sessions } from "@sluice/sluice/sessions";
import { KvControlLog } from "../../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../../lib/sessions/kv_session_store.ts";
import { communicate, settle } from "@sluice/sluice/testing";
import { FakeClock } from "../../lib/testing/fake_clock.ts";
import { FakeLog } from "../support/fake_log.ts";
import { type KeyValue, MemoryKeyValue } from "../../lib/kv/mod.ts";

class Echo extends Consumer<SignedInScope> {
  override receive(data: string | Uint8Array) {
    this.send(`${this.scope.user.login}: ${data}`);
  }
}

/** A database that counts its reads and writes. */
function counting(kv: KeyValue) {
  const counts = { reads: 0, writes: 0 };
  const proxy = new Proxy(kv, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name === "get" || name === "getMany" || name === "list") counts.reads++;
      if (name === "set" || name === "delete" || name === "atomic") counts.writes++;
      return value.bind(target);
    },
  });
  return { proxy, counts };
}

async function setUp(kv: KeyValue) {
  const { proxy, counts } = counting(kv);
  const clock = new FakeClock();
  const controlLog = new KvControlLog(proxy);
  const sessions = new Sessions(new KvSessionStore(proxy, { clock, controlLog }), {
    clock,
    controlLog,
    log: new FakeLog(),
  });
  const users = new KvUserStore(proxy, { clock, controlLog });
  const tickets = new Tickets(proxy, { clock });
  const profile = { provider: "dev", subject: "1", login: "ada", name: "Ada" };
  const ada = await users.save({ ...profile, avatarUrl: undefined });
  const { session, token } = await sessions.create({ userId: ada.id, provider: "dev" });
  const application = stack()
    .use(anyOrigin())
    .use(sessionOrTicket({ sessions, tickets }))
    .use(user(users))
    .use(requireUser())
    .routes([route("/ws/echo", Echo)]);
  const open = async (headers: Record<string, string>) => {
    const limits = { messageBurst: 20_000 };
    const peer = communicate(application, { path: "/ws/echo", headers, clock, limits });
    assert.equal((await peer.connect()).accepted, true);
    return peer;
  };
  const reset = () => Object.assign(counts, { reads: 0, writes: 0 });
  return { clock, counts, reset, session, tickets, cookie: { cookie: `session=${token}` }, open };
}

const offer = (ticket: string) => ({
  "sec-websocket-protocol": `sluice.v1, sluice.ticket.${ticket}`,
});

test("an upgrade with a cookie costs two reads: the session and the user", async () => {
  await using kv = new MemoryKeyValue();
  const { counts, reset, cookie, open } = await setUp(kv);
  reset();
  await open(cookie);
  assert.deepEqual(counts, { reads: 2, writes: 0 });
});

test("an upgrade with a cookie costs no read if both are cached", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, counts, reset, cookie, open } = await setUp(kv);
  await open(cookie);
  await clock.advance(0);
  for (let turn = 0; turn < 20; turn++) await settle();
  await open(cookie);
  reset();
  for (let n = 0; n < 100; n++) await open(cookie);
  assert.deepEqual(counts, { reads: 0, writes: 0 });
});

test("an upgrade with a ticket costs two reads, and one write that marks it as used", async () => {
  await using kv = new MemoryKeyValue();
  const { counts, reset, tickets, session, open } = await setUp(kv);
  const { ticket } = await tickets.issue(session, { path: "/ws/echo", origin: undefined });
  reset();
  await open(offer(ticket));
  assert.deepEqual(counts, { reads: 2, writes: 1 });
});

test("10,000 messages cost no read and no write", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, counts, reset, cookie, open } = await setUp(kv);
  const peer = await open(cookie);
  await clock.advance(0);
  for (let turn = 0; turn < 20; turn++) await settle();
  reset();
  for (let n = 0; n < 10_000; n++) {
    peer.send(String(n));
    assert.equal(await peer.receive(), `ada: ${n}`);
  }
  assert.deepEqual(counts, { reads: 0, writes: 0 });
});

test("a thousand idle sockets cost the same as one: a read of the log every 200 ms", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, counts, reset, cookie, open } = await setUp(kv);
  const perSecond = async () => {
    reset();
    for (let step = 0; step < 20; step++) {
      await clock.advance(50);
      for (let turn = 0; turn < 3; turn++) await settle();
    }
    return counts.reads;
  };
  await open(cookie);
  await perSecond();
  const one = await perSecond();
  for (let n = 1; n < 1_000; n++) await open(cookie);
  const thousand = await perSecond();
  assert.ok(one <= 5, `${one} reads for one`);
  assert.ok(thousand <= 5, `${thousand} reads for a thousand`);
  assert.equal(counts.writes, 0);
});
