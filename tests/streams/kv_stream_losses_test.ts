import assert from "node:assert/strict";
import { test } from "node:test";
import { type AtomicOperation, MemoryKeyValue } from "@sluice/sluice/kv";
import { PostgresKeyValue } from "@sluice/sluice/kv/postgres";
import { KvStreamStore, type StreamStore } from "@sluice/sluice/streams";
import { readHistory } from "../../lib/streams/history.ts";
import { eventually } from "../support/eventually.ts";
import { PostgresServer, whyNoPostgres } from "../support/postgres/postgres_server.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

async function add(store: StreamStore, count: number) {
  const appends = Array.from({ length: count }, () => store.append("room", { type: "said" }));
  return (await Promise.all(appends)).at(-1)!;
}

/** Asks like a client that has handled the messages up to an offset. */
async function ask(store: StreamStore, epoch: string, after: number) {
  const { recovered, messages } = await readHistory(store, "room", { epoch, after });
  return { recovered, offsets: messages.map(({ offset }) => offset) };
}

/** A database whose server can be restarted. */
class RestartedKeyValue extends MemoryKeyValue {
  starts = 1;

  home(): Promise<string> {
    return Promise.resolve(`${this.starts}`);
  }

  protected override write(write: Parameters<MemoryKeyValue["write"]>[0]) {
    if (write.home !== undefined && write.home !== `${this.starts}`) {
      return Promise.resolve({ ok: false as const });
    }
    return super.write(write);
  }
}

test("KvStreamStore begins an epoch with the same messages when the database was restarted [H22]", async () => {
  const kv = new RestartedKeyValue();
  const [store, other] = [0, 1].map(() => new KvStreamStore(kv, { maxMessages: 50 })) as [
    KvStreamStore,
    KvStreamStore,
  ];
  const { epoch } = await add(store, 20);
  await other.append("room", { type: "said" });
  kv.starts++;
  const [one, two] = await Promise.all([add(store, 1), add(other, 1)]);
  assert.deepEqual([one.offset, two.offset].sort(), [22, 23]);
  assert.equal(one.epoch, two.epoch);
  assert.notEqual(one.epoch, epoch);
  assert.deepEqual(await ask(store, epoch, 20), { recovered: true, offsets: [21, 22, 23] });
  assert.equal((await ask(store, epoch, 22)).recovered, false);
  kv.starts++;
  const state = await other.state("room");
  assert.deepEqual(state.earlier, [{ epoch: one.epoch, offset: 23 }, { epoch, offset: 21 }]);
  assert.equal((await store.state("room")).epoch, state.epoch);
  await add(store, 100);
  assert.equal((await store.read("room")).offset, 123);
  await store.trim("room", 120);
  assert.deepEqual((await store.read("room", { after: 0 })).messages.map((m) => m.offset), [
    120,
    121,
    122,
    123,
  ]);
  await store.clear("room");
  assert.equal((await kv.list({ prefix: ["streams", "message"] })).entries.length, 0);
  assert.equal((await other.append("room", { type: "said" })).offset, 1);
});

test(
  "KvStreamStore does not reuse offsets in an epoch after a failover of PostgreSQL that lost commits [H22]",
  {
    skip: whyNoPostgres() ?? false,
    timeout: 60_000,
  },
  async () => {
    await using primary = await PostgresServer.start();
    await using standby = await PostgresServer.standbyOf(primary);
    await using name = await TcpProxy.open(primary.port);
    await using kv = new PostgresKeyValue(primary.url(undefined, name.port), { maxConnections: 2 });
    const store = new KvStreamStore(kv);
    const { epoch } = await add(store, 20);
    const position = (await primary.query("SELECT pg_current_wal_lsn()::text AS lsn"))[0]!["lsn"];
    await eventually(async () => {
      const [row] = await standby.query(`SELECT pg_last_wal_replay_lsn() >= '${position}' AS has`);
      assert.ok(row!["has"]);
    }, 20_000);
    await standby.query("ALTER SYSTEM SET primary_conninfo = ''");
    await standby.query("SELECT pg_reload_conf()");
    await eventually(async () => {
      const { length } = await primary.query("SELECT 1 FROM pg_stat_replication");
      assert.equal(length, 0);
    }, 20_000);
    assert.equal((await add(store, 10)).offset, 30); // Acknowledged, and not replicated.
    await primary.kill();
    name.move(standby.port);
    await standby.promote();
    await eventually(() => store.state("room"), 20_000);
    const next = await add(store, 15);
    assert.notEqual(next.epoch, epoch);
    assert.equal(next.offset, 35);
    assert.equal((await ask(store, epoch, 30)).recovered, false);
    assert.equal((await ask(store, epoch, 21)).recovered, false);
    assert.equal((await ask(store, epoch, 20)).recovered, true);
  },
);

test("PostgresKeyValue refuses a commit of another server's reads", {
  skip: whyNoPostgres() ?? false,
  timeout: 60_000,
}, async () => {
  await using server = await PostgresServer.start();
  await using kv = new PostgresKeyValue(server.url());
  const home = await kv.home();
  const commit = (operation: AtomicOperation) => operation.set(["a"], 1).commit({ home });
  assert.equal((await commit(kv.atomic())).ok, true);
  await server.kill();
  await server.restart();
  await eventually(() => kv.get(["a"]), 20_000);
  assert.equal((await commit(kv.atomic())).ok, false);
  assert.notEqual(await kv.home(), home);
});
