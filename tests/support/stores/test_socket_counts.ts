import assert from "node:assert/strict";
import type { KeyValue } from "../../../lib/kv/mod.ts";
import { type Session, Sessions } from "../../../lib/sessions/mod.ts";
import { KvSessionStore } from "../../../lib/sessions/kv_session_store.ts";
import { KvSocketCounts } from "../../../lib/sessions/connections/kv_socket_counts.ts";
import type { FakeClock } from "../../../lib/testing/fake_clock.ts";
import { FakeConnection } from "../fake_connection.ts";
import { FakeLog } from "../fake_log.ts";
import {
  type CreateTestStore,
  defineStoreTests,
} from "../../../lib/testing/stores/define_store_tests.ts";
import { eventually } from "../eventually.ts";
import type { SuiteOptions } from "../../../lib/testing/bed.ts";

/** Defines the tests that `KvSocketCounts` passes over every driver, with `node:test`. */
export function testSocketCounts(
  name: string,
  create: CreateTestStore<KeyValue>,
  options: SuiteOptions = {},
): void {
  const it = defineStoreTests(name, create, options);

  it("count() adds up the sockets of all processes", async (kv, clock) => {
    const [here, there] = [startProcess(kv, clock), startProcess(kv, clock)];
    const { session } = await here.sessions.create({ userId: "ada", provider: "dev" });
    here.open(session);
    const sockets = [there.open(session), there.open(session)];
    await counts(here, clock, session, 3);
    sockets[0]!.end(1000);
    await counts(here, clock, session, 2);
    await there.counts.close();
    await counts(here, clock, session, 1);
    await here.counts.close();
    assert.deepEqual((await kv.list({ prefix: ["session_sockets"] })).entries, []);
    assert.deepEqual((await kv.list({ prefix: ["socket_processes"] })).entries, []);
  });

  it("count() ignores a process whose heartbeat has expired", async (kv, clock) => {
    const [here, there] = [startProcess(kv, clock), startProcess(kv, clock)];
    const { session } = await here.sessions.create({ userId: "ada", provider: "dev" });
    there.open(session);
    await counts(here, clock, session, 1);
    const { entries: [heartbeat] } = await kv.list({ prefix: ["socket_processes"] });
    await kv.delete(heartbeat!.key);
    assert.equal((await here.counts.count([session.id])).get(session.id), 0);
    await there.counts.close();
    await here.counts.close();
  });
}

function startProcess(kv: KeyValue, clock: FakeClock) {
  const log = new FakeLog();
  const sessions = new Sessions(new KvSessionStore(kv, { clock }), { clock, log });
  const counts = new KvSocketCounts(kv, { connections: sessions.connections, log, clock });
  sessions.connections.followWith(counts);
  const open = (session: Session) => {
    const socket = new FakeConnection();
    sessions.connections.subscribe(session.id, socket);
    sessions.connections.track(session);
    socket.accept();
    return socket;
  };
  return { sessions, counts, open };
}

/** Waits until a process counts so many sockets. */
async function counts(
  process: { readonly counts: KvSocketCounts },
  clock: FakeClock,
  { id }: Session,
  expected: number,
): Promise<void> {
  await eventually(async () => {
    await clock.advance(250);
    assert.equal((await process.counts.count([id])).get(id), expected);
  }, 15_000);
}
