import assert from "node:assert/strict";
import { test } from "node:test";
import { KvAuditStore } from "../../lib/auth/audit/kv_audit_store.ts";
import { Audit, type AuditEntry } from "../../lib/auth/mod.ts";
import { FakeClock } from "../../lib/testing/fake_clock.ts";
import { FakeLog } from "../support/fake_log.ts";
import { DenoKeyValue } from "../../lib/kv/deno/mod.ts";
import { MemoryKeyValue } from "../../lib/kv/mod.ts";

function entry(code: number, at = 1_000): AuditEntry {
  return { kind: "refused", userId: "u1", code: `${code}`, at };
}

async function codes(store: KvAuditStore, limit = 100): Promise<number[]> {
  return (await store.list("u1", { limit })).map(({ code }) => Number(code));
}

function newestFirst(count: number): number[] {
  return Array.from({ length: count }, (_, n) => count - 1 - n);
}

function setUp() {
  const kv = new MemoryKeyValue();
  const clock = new FakeClock(1_000);
  const log = new FakeLog();
  const store = new KvAuditStore(kv, { clock });
  const audit = new Audit(kv, { log, clock });
  const lines = () =>
    log.lines.map(({ level, fields }) => [level, fields?.code, fields?.count, fields?.userId]);
  return { kv, clock, log, store, audit, lines, [Symbol.dispose]: () => kv.close() };
}

test("KvAuditStore lists entries of one millisecond in the order they were added, newest first", async () => {
  using bed = setUp();
  for (let code = 0; code < 50; code++) await bed.store.add(entry(code));
  assert.deepEqual(await codes(bed.store), newestFirst(50));
  assert.deepEqual(await codes(bed.store, 3), [49, 48, 47]);
});

test("KvAuditStore keeps the order of concurrent additions", async () => {
  using bed = setUp();
  await Promise.all(newestFirst(50).reverse().map((code) => bed.store.add(entry(code))));
  assert.deepEqual(await codes(bed.store), newestFirst(50));
});

test("KvAuditStore keeps the order of additions from several processes", async () => {
  using bed = setUp();
  const stores = [1, 2, 3].map(() => new KvAuditStore(bed.kv, { clock: bed.clock }));
  for (let code = 0; code < 50; code++) await stores[code % 3]!.add(entry(code));
  assert.deepEqual(await codes(bed.store), newestFirst(50));
});

test("KvAuditStore loses nothing that several processes add in one millisecond", async () => {
  using bed = setUp();
  const stores = Array.from({ length: 8 }, () => new KvAuditStore(bed.kv, { clock: bed.clock }));
  await Promise.all(stores.flatMap((store, at) => {
    return newestFirst(10).reverse().map((n) => store.add(entry(at * 10 + n)));
  }));
  const listed = await codes(bed.store);
  assert.deepEqual([...listed].sort((a, b) => a - b), newestFirst(80).reverse());
  for (let at = 0; at < 8; at++) {
    const own = listed.filter((code) => Math.floor(code / 10) === at);
    assert.deepEqual(own, newestFirst(10).map((n) => at * 10 + n));
  }
});

test("KvAuditStore lists by time, even an entry that was added late", async () => {
  using bed = setUp();
  for (const at of [1_005, 1_001, 1_003]) await bed.store.add(entry(at, at));
  assert.deepEqual(await codes(bed.store), [1_005, 1_003, 1_001]);
});

test("KvAuditStore lists entries of an earlier version before new ones of their millisecond", async () => {
  using bed = setUp();
  await bed.kv.set(["audit", "u1", 1_000, "rAnd0m"], entry(0));
  for (let code = 1; code < 3; code++) await bed.store.add(entry(code));
  assert.deepEqual(await codes(bed.store), [2, 1, 0]);
});

test("KvAuditStore keeps one entry per name over all processes", async () => {
  using bed = setUp();
  const stores = Array.from({ length: 8 }, () => new KvAuditStore(bed.kv, { clock: bed.clock }));
  const options = { once: "expired s1" };
  const added = await Promise.all(stores.map((store, code) => store.add(entry(code), options)));
  assert.equal(added.filter((isFirst) => isFirst).length, 1);
  assert.equal((await codes(bed.store)).length, 1);
  assert.equal(await bed.store.add(entry(9, 2_000), options), false);
});

test("KvAuditStore waits once for an unreachable database, and recovers", async () => {
  using bed = setUp();
  let isAway = true;
  let uses = 0;
  await using kv = new DenoKeyValue(async () => {
    uses++;
    if (isAway) throw new Error("away");
    return await Deno.openKv(":memory:");
  });
  const store = new KvAuditStore(kv, { clock: bed.clock });
  const failed = await Promise.allSettled(newestFirst(20).map((code) => store.add(entry(code))));
  assert.ok(failed.every(({ status }) => status === "rejected"));
  assert.equal(uses, 1);
  isAway = false;
  await store.add(entry(7));
  assert.deepEqual(await codes(store), [7]);
});

test("Audit.list() returns the newest event first, even if many are written at once", async () => {
  using bed = setUp();
  const kinds = ["signed-in", "session-rotated", "roles-changed", "session-ended"] as const;
  for (let code = 0; code < 200; code++) {
    bed.audit.write({ kind: kinds[code % 4]!, userId: "u1", code: `${code}` });
  }
  await bed.audit.written();
  const listed = (await bed.audit.list("u1", { limit: 200 })).map(({ code }) => Number(code));
  assert.deepEqual(listed, newestFirst(200));
});

test("Audit writes the first refusal at once, and then one line with a count every ten seconds", async () => {
  using bed = setUp();
  const refuse = () => bed.audit.write({ kind: "refused", code: "NOT_SIGNED_IN" });
  for (let n = 0; n < 100; n++) refuse();
  assert.deepEqual(bed.lines(), [["debug", "NOT_SIGNED_IN", undefined, undefined]]);
  await bed.clock.advance(10_000);
  assert.deepEqual(bed.lines()[1], ["debug", "NOT_SIGNED_IN", 100, undefined]);
  for (let n = 0; n < 7; n++) refuse();
  await bed.clock.advance(10_000);
  assert.deepEqual(bed.lines()[2], ["debug", "NOT_SIGNED_IN", 7, undefined]);
  await bed.clock.advance(10_000);
  assert.equal(bed.clock.pending, 0);
  refuse();
  assert.deepEqual(bed.lines()[3], ["debug", "NOT_SIGNED_IN", undefined, undefined]);
  await bed.clock.advance(10_000);
  assert.equal(bed.lines().length, 4);
});

test("Audit counts each code and each user separately", async () => {
  using bed = setUp();
  for (const userId of ["u1", "u2", undefined]) {
    for (const code of ["FORBIDDEN", "TOO_MANY_SOCKETS"]) {
      for (let n = 0; n < 5; n++) bed.audit.write({ kind: "refused", code, userId });
    }
  }
  assert.equal(bed.lines().length, 6);
  await bed.audit.close();
  assert.deepEqual(bed.lines().slice(6).map(([, , count]) => count), Array(6).fill(5));
  assert.equal((await bed.audit.list("u1")).length, 2);
});

test("Audit uses one counter for further kinds past its limit", async () => {
  using bed = setUp();
  for (let n = 0; n < 3_000; n++) bed.audit.write({ kind: "refused", code: `CODE_${n}` });
  assert.equal(bed.lines().length, 1_001);
  await bed.audit.close();
  assert.deepEqual(bed.lines().slice(1_001).map(([, , count]) => count), [2_000]);
});

test("Audit counts neither sign-ins nor changes of users", async () => {
  using bed = setUp();
  for (let n = 0; n < 5; n++) bed.audit.write({ kind: "signed-in", userId: "u1" });
  for (let n = 0; n < 5; n++) bed.audit.write({ kind: "user-banned", userId: "u1", by: "u2" });
  assert.equal(bed.lines().length, 10);
  await bed.audit.written();
  assert.equal((await bed.audit.list("u1")).length, 10);
});

test("Audit writes the cause of a failed sign-in only to the log", async () => {
  using bed = setUp();
  const event = { kind: "sign-in-failed", code: "PROVIDER_UNAVAILABLE", userId: "u1" } as const;
  bed.audit.write(event, { cause: "Error: refused" });
  await bed.audit.written();
  const [line] = bed.log.lines;
  assert.deepEqual([line?.level, line?.fields?.cause], ["warn", "Error: refused"]);
  assert.deepEqual(await bed.audit.list("u1"), [{ ...event, at: 1_000 }]);
});
