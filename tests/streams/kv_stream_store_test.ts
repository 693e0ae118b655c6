import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { KeyValueError, MemoryKeyValue } from "@sluice/sluice/kv";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";
import { KvStreamStore } from "@sluice/sluice/streams";
import { FakeClock, testStreamStore } from "@sluice/sluice/testing";

const systems = new Map<string, MemoryKeyValue>();

testStreamStore("KvStreamStore", ({ system, ...options }) => {
  let kv = systems.get(system);
  if (kv === undefined) systems.set(system, kv = new MemoryKeyValue());
  return new KvStreamStore(kv, options);
}, { processes: true });

const folder = mkdtempSync(join(tmpdir(), "sluice-streams-"));
after(() => rmSync(folder, { recursive: true }));

/** A database for each store, as in several processes. */
const opened: DenoKeyValue[] = [];
after(() => Promise.all(opened.map((kv) => kv.close())));

testStreamStore("KvStreamStore on Deno KV", ({ system, ...options }) => {
  const kv = new DenoKeyValue(() => Deno.openKv(join(folder, system)));
  opened.push(kv);
  return new KvStreamStore(kv, options);
}, { processes: true });

test("KvStreamStore removes stored messages and keeps their number within the limit", async () => {
  const kv = new MemoryKeyValue();
  const store = new KvStreamStore(kv, { maxMessages: 50 });
  for (let number = 0; number < 500; number++) await store.append("room", { type: "said" });
  const { entries } = await kv.list({ prefix: ["streams", "message"] }, { limit: 1_000 });
  assert.ok(entries.length >= 50 && entries.length <= 50 + 33, `${entries.length} are stored`);
});

test("KvStreamStore writes one message with one operation, however long the stream is", async () => {
  const kv = new MemoryKeyValue();
  const store = new KvStreamStore(kv, { maxMessages: 100_000 });
  const fill = Array.from({ length: 5_000 }, () => store.append("room", { type: "said" }));
  await Promise.all(fill);
  const calls: string[] = [];
  const counting = new Proxy(kv, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        calls.push(String(name));
        return value.apply(target, args);
      };
    },
  });
  const other = new KvStreamStore(counting, { maxMessages: 100_000 });
  await other.append("room", { type: "said" });
  await other.append("room", { type: "said" });
  assert.deepEqual(calls, ["get", "atomic", "atomic"]);
  calls.length = 0;
  await other.read("room", { limit: 10 });
  assert.deepEqual(calls, ["get", "list"]);
});

test("KvStreamStore removes many expired messages, and continues with the next offset", async () => {
  const kv = new MemoryKeyValue();
  const clock = new FakeClock();
  const store = new KvStreamStore(kv, { maxAgeMs: 1_000, clock });
  await Promise.all(Array.from({ length: 900 }, () => store.append("room", { type: "said" })));
  await clock.advance(1_001);
  assert.deepEqual((await store.read("room", { after: 0 })).messages, []);
  assert.equal((await kv.list({ prefix: ["streams", "message"] })).entries.length, 0);
  assert.equal((await store.append("room", { type: "said" })).offset, 901);
});

test("KvStreamStore rejects with UNAVAILABLE if the database fails, and then works again", async () => {
  const kv = new MemoryKeyValue();
  const store = new KvStreamStore(kv);
  await store.append("room", { type: "said" });
  const { getMany } = kv;
  kv.getMany = () => Promise.reject(new KeyValueError("UNAVAILABLE", "no database"));
  const append = () => store.append("room", { type: "said" }, { key: "k" });
  await assert.rejects(append(), { code: "UNAVAILABLE" });
  kv.getMany = getMany;
  assert.equal((await append()).offset, 2);
});

test("KvStreamStore reads on after the database removed messages that a longer age would keep", async () => {
  const clock = new FakeClock();
  const kv = new MemoryKeyValue({ clock });
  const short = new KvStreamStore(kv, { maxAgeMs: 1_000, clock });
  for (let number = 0; number < 5; number++) await short.append("room", { type: "said" });
  await clock.advance(2 * 3_600_000);
  const long = new KvStreamStore(kv, { maxAgeMs: 30 * 86_400_000, clock });
  const { first, offset, messages } = await long.read("room");
  assert.deepEqual([first, offset, messages], [6, 5, []]);
  assert.equal((await long.append("room", { type: "said" })).offset, 6);
});
