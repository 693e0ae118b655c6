import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { KeyValue } from "../../lib/kv/mod.ts";
import { PostgresKeyValue } from "../../lib/kv/postgres/mod.ts";
import { PostgresServer, whyNoPostgres } from "../support/postgres/postgres_server.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

const options = { skip: whyNoPostgres() ?? false, timeout: 60_000 };
const UNAVAILABLE = { name: "KeyValueError", code: "UNAVAILABLE" };

/** Counts up, and returns the last number that was acknowledged. */
class Writer {
  acknowledged = 0;
  failures = 0;
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(kv: KeyValue) {
    this.#done = this.#write(kv);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  async #write(kv: KeyValue): Promise<void> {
    for (let n = 1; !this.#isStopped; n++) {
      try {
        await kv.set(["n", n], n);
        this.acknowledged = n;
      } catch (error) {
        assert.equal((error as { code?: string }).code, "UNAVAILABLE");
        this.failures++;
        n--;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  /** Waits for so many more acknowledged writes. */
  async more(count: number): Promise<void> {
    const until = this.acknowledged + count;
    while (this.acknowledged < until) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function count(kv: KeyValue): Promise<number> {
  let total = 0;
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor; isFirst = false) {
    const page = await kv.list({ prefix: ["n"] }, { limit: 1_000, cursor });
    total += page.entries.length;
    cursor = page.cursor;
  }
  return total;
}

/** Waits until a write succeeds again. */
async function recovered(kv: KeyValue): Promise<void> {
  while (!await kv.set(["probe"], 1).then(() => true, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("PostgresKeyValue loses nothing acknowledged when the server is killed", options, async () => {
  await using server = await PostgresServer.start();
  await using kv = new PostgresKeyValue(server.url());
  const writer = new Writer(kv);
  for (let round = 0; round < 3; round++) {
    await writer.more(50);
    await server.kill();
    await assert.rejects(kv.get(["n", 1]), UNAVAILABLE);
    await server.restart();
  }
  await writer.more(50);
  await writer.stop();
  assert.ok(writer.failures > 0);
  assert.equal(await count(kv), writer.acknowledged);
});

test(
  "PostgresKeyValue starts without its server, and works when it is there",
  options,
  async () => {
    await using server = await PostgresServer.start();
    await server.kill();
    await using kv = new PostgresKeyValue(server.url());
    await assert.rejects(kv.set(["a"], 1), UNAVAILABLE);
    await server.restart();
    await kv.set(["a"], 2);
    assert.equal((await kv.get(["a"])).value, 2);
  },
);

test(
  "PostgresKeyValue follows its name to a promoted standby, without a loss",
  options,
  async () => {
    await using primary = await PostgresServer.start();
    await using standby = await PostgresServer.standbyOf(primary);
    await primary.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
    await primary.query("SELECT pg_reload_conf()");
    const sync = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
    while ((await primary.query(sync)).length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await using name = await TcpProxy.open(primary.port);
    await using kv = new PostgresKeyValue(primary.url(undefined, name.port));
    const writer = new Writer(kv);
    await writer.more(100);
    await primary.kill();
    name.move(standby.port);
    await assert.rejects(kv.get(["n", 1]), UNAVAILABLE); // A standby is not used.
    await standby.promote();
    await writer.more(50);
    await writer.stop();
    assert.equal(await count(kv), writer.acknowledged);
  },
);

test(
  "PostgresKeyValue rejects in time while a row is locked, and serves others",
  options,
  async () => {
    await using server = await PostgresServer.start();
    await using kv = new PostgresKeyValue(server.url(), { timeoutMs: 400 });
    await kv.set(["locked"], 1);
    const locker = await server.connect();
    await locker.query("BEGIN; SELECT * FROM sluice_kv FOR UPDATE");
    const writes = Array.from({ length: 4 }, () => kv.set(["locked"], 2));
    await kv.set(["other"], 1);
    assert.equal((await kv.get(["locked"])).value, 1);
    for (const write of writes) await assert.rejects(write, UNAVAILABLE);
    await locker.query("ROLLBACK");
    await locker.end();
    await kv.set(["locked"], 3);
    assert.equal((await kv.get(["locked"])).value, 3);
  },
);

test("PostgresKeyValue waits for a connection when the server has none left", options, async () => {
  await using server = await PostgresServer.start([
    "max_connections=5",
    "superuser_reserved_connections=0",
  ]);
  const others = [];
  for (let n = 0; n < 5; n++) others.push(await server.connect());
  await using kv = new PostgresKeyValue(server.url());
  const early = kv.set(["a"], 1);
  await using impatient = new PostgresKeyValue(server.url(), { timeoutMs: 50 });
  await assert.rejects(impatient.get(["a"]), UNAVAILABLE);
  for (const client of others) await client.end();
  await early;
  assert.equal((await kv.get(["a"])).value, 1);
});

test("PostgresKeyValue keeps to its limit of connections", options, async () => {
  await using server = await PostgresServer.start();
  await using kv = new PostgresKeyValue(server.url(), { maxConnections: 3 });
  const ours = "SELECT FROM pg_stat_activity WHERE application_name = 'sluice'";
  const writes = Array.from({ length: 200 }, (_, n) => kv.set(["n", n], n));
  await writes[20];
  assert.ok((await server.query(ours)).length <= 3);
  await Promise.all(writes);
  assert.equal(await count(kv), 200);
});

test("PostgresKeyValue works if the server's default is SERIALIZABLE", options, async () => {
  await using server = await PostgresServer.start(["default_transaction_isolation=serializable"]);
  const handles = [1, 2, 3].map(() => new PostgresKeyValue(server.url()));
  const countUp = async (kv: KeyValue) => {
    for (let step = 0; step < 20;) {
      const entry = await kv.get<number>(["count"]);
      const next = kv.atomic().check(entry).set(entry.key, (entry.value ?? 0) + 1);
      if ((await next.commit()).ok) step++;
    }
  };
  await Promise.all(handles.flatMap((kv) => [countUp(kv), countUp(kv)]));
  assert.equal((await handles[0]!.get(["count"])).value, 120);
  for (const kv of handles) await kv.close();
});

test("PostgresKeyValue creates its table once, whichever process is first", options, async () => {
  await using server = await PostgresServer.start();
  const handles = Array.from({ length: 6 }, () => new PostgresKeyValue(server.url()));
  const writes = handles.map((kv) => {
    return kv.atomic().check({ key: ["first"], version: null }).set(["first"], 1).commit();
  });
  const results = await Promise.all(writes);
  assert.equal(results.filter(({ ok }) => ok).length, 1);
  for (const kv of handles) await kv.close();
});

test("PostgresKeyValue refuses the table of a newer version", options, async () => {
  await using server = await PostgresServer.start();
  await using kv = new PostgresKeyValue(server.url());
  await kv.set(["a"], 1);
  await server.query("INSERT INTO sluice_kv_schema VALUES (1000)");
  await using other = new PostgresKeyValue(server.url());
  await assert.rejects(other.get(["a"]), UNAVAILABLE);
});

test("PostgresKeyValue deletes expired entries in batches of at most 500", options, async () => {
  await using server = await PostgresServer.start();
  await using kv = new PostgresKeyValue(server.url());
  await kv.set(["kept"], 1);
  await server.query(`
    INSERT INTO sluice_kv SELECT ('\\x02' || lpad(to_hex(n), 8, '0'))::bytea, '1', 1,
      now() - interval '1 minute' FROM generate_series(1, 1200) AS n;
    CREATE TABLE sweeps (size int);
    CREATE FUNCTION count_sweep() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO sweeps SELECT count(*) FROM deleted; RETURN NULL; END $$;
    CREATE TRIGGER count_sweep AFTER DELETE ON sluice_kv REFERENCING OLD TABLE AS deleted
      FOR EACH STATEMENT EXECUTE FUNCTION count_sweep()`);
  await using other = new PostgresKeyValue(server.url());
  await other.set(["also kept"], 1); // The first commit of a process starts a sweep.
  const left = "SELECT count(*)::int AS count FROM sluice_kv";
  while (Number((await server.query(left))[0]?.count) !== 2) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const sizes = await server.query("SELECT size FROM sweeps WHERE size > 0");
  assert.deepEqual(sizes.map(({ size }) => size), [500, 500, 200]);
});

test(
  "PostgresKeyValue finds entries by an index before the server has statistics",
  options,
  async () => {
    await using server = await PostgresServer.start(["autovacuum=off"]);
    const seen = async () => {
      const text =
        "SELECT seq_tup_read::int AS rows FROM pg_stat_user_tables WHERE relname = $$sluice_kv$$";
      return Number((await server.query(text))[0]?.rows);
    };
    const use = async (kv: KeyValue, n: number) => {
      const entry = await kv.get(["checked", n]);
      const operation = kv.atomic().check(entry).delete(["other", n]).set(entry.key, n, {
        expireInMs: 60_000,
      });
      assert.ok((await operation.commit()).ok);
      await kv.getMany([["checked", n], ["other", n]]);
      await kv.list({ prefix: ["checked"] }, { limit: 3 });
      await kv.list({ prefix: ["checked"] }, { limit: 3, reverse: true });
    };
    {
      await using kv = new PostgresKeyValue(server.url(), { maxConnections: 1 });
      for (let n = 0; n < 10; n++) await use(kv, n); // The server keeps its plans from now on.
      await server.query(
        `INSERT INTO sluice_kv SELECT ('\\x02' || lpad(to_hex(n), 8, '0'))::bytea, '1',
      1, now() + interval '1 day' FROM generate_series(1, 20000) AS n`,
      );
      for (let n = 0; n < 10; n++) await use(kv, n);
    }
    await using kv = new PostgresKeyValue(server.url(), { maxConnections: 1 });
    await kv.set(["last"], 1); // Starts a sweep.
    await kv.close();
    assert.equal(await seen(), 0);
  },
);

test("PostgresKeyValue hears again after the server was restarted", options, async () => {
  await using server = await PostgresServer.start();
  await using here = new PostgresKeyValue(server.url());
  await using there = new PostgresKeyValue(server.url());
  let calls = 0;
  here.onChange("topic", () => calls++);
  const heard = async () => {
    const before = calls;
    while (calls === before) {
      await there.atomic().set(["a"], 1).notify("topic").commit();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await heard();
  await server.kill();
  await server.restart();
  await recovered(there);
  await heard();
});

test("PostgresKeyValue recovers from a full disk, without a loss", options, async (context) => {
  const place = await mkdtemp(join(tmpdir(), "sluice-full-"));
  if (!await mount(place)) {
    await rm(place, { recursive: true });
    return context.skip("this user cannot mount a file system");
  }
  try {
    await using server = await PostgresServer.start(
      ["min_wal_size=32MB", "max_wal_size=32MB"],
      place,
    );
    await using kv = new PostgresKeyValue(server.url());
    const writer = new Writer(kv);
    await writer.more(50);
    const filler = join(place, "filler");
    await fill(filler);
    const data = "x".repeat(60_000);
    for (let n = 0, isFull = false; !isFull && n < 5_000; n++) {
      isFull = await kv.set(["large", n], data).then(() => false, () => true);
    }
    await rm(filler);
    await recovered(kv);
    await writer.more(50);
    await writer.stop();
    assert.equal(await count(kv), writer.acknowledged);
  } finally {
    await run("umount", place);
    await rm(place, { recursive: true });
  }
});

async function mount(place: string): Promise<boolean> {
  const type = ["-t", "tmpfs", "-o", "size=160m,mode=777", "tmpfs"];
  return await run("mount", ...type, place);
}

/** Writes until the disk is full. */
async function fill(file: string): Promise<void> {
  const block = new Uint8Array(1 << 20);
  while (await appendFile(file, block).then(() => true, () => false));
}

async function run(program: string, ...args: string[]): Promise<boolean> {
  try {
    const options = { args, stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command(program, options).output()).success;
  } catch {
    return false;
  }
}
