import assert from "node:assert/strict";
import { test } from "node:test";
import { Sessions } from "../../../lib/sessions/mod.ts";
import { KvControlLog } from "../../../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../../../lib/sessions/kv_session_store.ts";
import type { SessionEvent } from "../../../lib/sessions/mod.ts";
import { FakeLog } from "../../support/fake_log.ts";
import { type KeyValue, MemoryKeyValue } from "../../../lib/kv/mod.ts";

const changed = (userId: string): SessionEvent => ({ type: "user-changed", userId });

test("KvControlLog.read() returns every entry of all writers once and in order", async () => {
  await using kv = new MemoryKeyValue();
  const [here, there] = [new KvControlLog(kv), new KvControlLog(kv)];
  let { position } = await here.read(undefined);
  await Promise.all(
    Array.from({ length: 200 }, (_, n) => (n % 2 ? here : there).append(changed(`u${n}`))),
  );
  const seen: SessionEvent[] = [];
  for (let hasMore = true; hasMore;) {
    const page = await here.read(position);
    assert.ok(page.isComplete);
    seen.push(...page.events);
    ({ position, hasMore } = page);
  }
  assert.equal(seen.length, 200);
  const users = new Set(seen.map((event) => "userId" in event && event.userId));
  assert.equal(users.size, 200);
  assert.deepEqual((await here.read(position)).events, []);
});

test("KvControlLog.read() costs one read if there are no new entries", async () => {
  await using kv = new MemoryKeyValue();
  const log = new KvControlLog(kv);
  await log.append(changed("ada"));
  const { position } = await log.read(undefined);
  let reads = 0;
  const counting = new Proxy(kv, {
    get(target, name) {
      if (name === "get" || name === "getMany" || name === "list") reads++;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await new KvControlLog(counting).read(position);
  assert.equal(reads, 1);
});

test("KvControlLog.read() pages through a long log", async () => {
  await using kv = new MemoryKeyValue();
  const log = new KvControlLog(kv);
  for (let n = 0; n < 501; n++) await log.append(changed(`u${n}`));
  const first = await log.read(0);
  assert.deepEqual([first.events.length, first.hasMore], [500, true]);
  const second = await log.read(first.position);
  assert.deepEqual([second.events.length, second.hasMore], [1, false]);
});

test("KvControlLog.read() reports missing entries, and another database", async () => {
  await using kv = new MemoryKeyValue();
  const log = new KvControlLog(kv);
  for (let n = 0; n < 5; n++) await log.append(changed(`u${n}`));
  await kv.delete(["control_log", 2]);
  assert.equal((await log.read(0)).isComplete, false);
  assert.equal((await log.read(0)).position, 5);
  assert.equal((await log.read(2)).isComplete, true);
  assert.deepEqual(await log.read(9), {
    events: [],
    position: 5,
    hasMore: false,
    isComplete: false,
  });
});

test("KvSessionStore writes the end event and the deletion of a session in one operation", async () => {
  await using kv = new MemoryKeyValue();
  const commits: boolean[] = [];
  let ending = "";
  let position = 0;
  const watched = watchCommits(kv, async () => {
    if (ending === "") return;
    const isThere = (await kv.get(["sessions", ending])).value !== undefined;
    const isTold = (await controlLog.read(position)).events.length > 0;
    commits.push(isThere !== isTold);
  });
  const controlLog = new KvControlLog(watched);
  const store = new KvSessionStore(watched, { controlLog });
  const sessions = new Sessions(store, { log: new FakeLog(), controlLog });
  const { session } = await sessions.create({ userId: "ada", provider: "dev" });
  ({ position } = await controlLog.read(undefined));
  ending = session.id;
  assert.equal(await sessions.end(session.id, "revoked"), true);
  assert.deepEqual(commits, [true]);
  assert.deepEqual((await controlLog.read(position)).events, [
    { type: "ended", sessionId: session.id, userId: "ada", reason: "revoked" },
  ]);
});

test("KvSessionStore announces no end that another call caused", async () => {
  await using kv = new MemoryKeyValue();
  const controlLog = new KvControlLog(kv);
  const store = new KvSessionStore(kv, { controlLog });
  const sessions = new Sessions(store, { log: new FakeLog(), controlLog });
  const { session } = await sessions.create({ userId: "ada", provider: "dev" });
  const ends = await Promise.all([1, 2, 3].map(() => sessions.end(session.id, "revoked")));
  assert.equal(ends.filter(Boolean).length, 1);
  assert.equal((await controlLog.read(0)).events.length, 1);
});

test("the control log holds no secret of a session", async () => {
  await using kv = new MemoryKeyValue();
  const controlLog = new KvControlLog(kv);
  const store = new KvSessionStore(kv, { controlLog });
  const sessions = new Sessions(store, { log: new FakeLog(), controlLog });
  const { session, token } = await sessions.create({ userId: "ada", provider: "dev" });
  const rotated = await sessions.rotate(session.id);
  const { secretHash } = (await store.get(session.id))!;
  await sessions.end(session.id, "revoked");
  const text = JSON.stringify((await controlLog.read(0)).events);
  assert.match(text, /renewed.*ended/);
  for (const secret of [token.split(".")[1]!, rotated!.token.split(".")[1]!, secretHash]) {
    assert.ok(!text.includes(secret));
  }
});

/** Calls back after every commit. */
function watchCommits(kv: KeyValue, committed: () => Promise<void>): KeyValue {
  return new Proxy(kv, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name !== "atomic") return typeof value === "function" ? value.bind(target) : value;
      return () => {
        const operation = target.atomic();
        const commit = operation.commit.bind(operation);
        operation.commit = async () => {
          const result = await commit();
          if (result.ok) await committed();
          return result;
        };
        return operation;
      };
    },
  });
}
