import assert from "node:assert/strict";
import { test } from "node:test";
import { randomId, RecentReads, type SessionEvent } from "../../lib/sessions/mod.ts";

function setUp(options: { maxEntries?: number } = {}) {
  const trust = { isGiven: true, rely: () => trust.isGiven };
  const reads = new RecentReads<string>({
    trust,
    outdate: (event, reads) => {
      if (event.type === "ended") reads.forget(event.sessionId);
      if (event.type === "user-ended") reads.forgetWhere((value) => value === event.userId);
    },
    ...options,
  });
  return { trust, reads };
}

const stored = (value: string | undefined) => () => Promise.resolve(value);
const ended = (sessionId: string): SessionEvent => {
  return { type: "ended", sessionId, userId: "ada", reason: "revoked" };
};
const userEnded: SessionEvent = { type: "user-ended", userId: "ada", reason: "user-banned" };

test("RecentReads.recall() returns cached values only", async () => {
  const { reads } = setUp();
  assert.equal(reads.recall("s1"), undefined);
  assert.equal(await reads.read("s1", stored("ada")), "ada");
  assert.equal(reads.recall("s1"), "ada");
  assert.equal(reads.recall("s2"), undefined);
});

test("RecentReads.apply() invalidates exactly the values that an event concerns", async () => {
  const { reads } = setUp();
  for (const id of ["s1", "s2"]) await reads.read(id, stored("ada"));
  await reads.read("s3", stored("eve"));
  reads.apply(ended("s1"));
  assert.deepEqual(["s1", "s2", "s3"].map((id) => reads.recall(id)), [undefined, "ada", "eve"]);
  reads.apply(userEnded);
  assert.deepEqual(["s2", "s3"].map((id) => reads.recall(id)), [undefined, "eve"]);
});

for (
  const [what, happen] of [
    ["its own event", (reads: RecentReads<string>) => reads.apply(ended("s1"))],
    ["its user's event", (reads: RecentReads<string>) => reads.apply(userEnded)],
    ["a gap in the log", (reads: RecentReads<string>) => reads.clear()],
  ] as const
) {
  test(`RecentReads.read() caches no read in progress during ${what}`, async () => {
    const { reads } = setUp();
    const answer = Promise.withResolvers<string>();
    const reading = reads.read("s1", () => answer.promise);
    happen(reads);
    answer.resolve("ada");
    assert.equal(await reading, "ada");
    assert.equal(reads.recall("s1"), undefined);
  });
}

test("RecentReads.read() caches a read from after an event, not one from before it", async () => {
  const { reads } = setUp();
  const [before, after] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const first = reads.read("s1", () => before.promise);
  reads.apply(ended("s1"));
  const second = reads.read("s1", () => after.promise);
  after.resolve("new");
  await second;
  before.resolve("old");
  await first;
  assert.equal(reads.recall("s1"), "new");
});

test("RecentReads.read() caches a read interrupted by another user's event", async () => {
  const { reads } = setUp();
  const answer = Promise.withResolvers<string>();
  const reading = reads.read("s1", () => answer.promise);
  reads.apply(ended("s2"));
  answer.resolve("ada");
  await reading;
  assert.equal(reads.recall("s1"), "ada");
});

test("RecentReads.recall() returns nothing while untrusted, and the remaining values afterwards", async () => {
  const { reads, trust } = setUp();
  for (const id of ["s1", "s2"]) await reads.read(id, stored("ada"));
  trust.isGiven = false;
  assert.equal(reads.recall("s1"), undefined);
  reads.apply(ended("s1"));
  trust.isGiven = true;
  assert.deepEqual(["s1", "s2"].map((id) => reads.recall(id)), [undefined, "ada"]);
});

test("RecentReads caches nothing for 10,000 unknown ids", async () => {
  const { reads } = setUp();
  for (let n = 0; n < 10_000; n++) {
    const id = randomId();
    assert.equal(reads.recall(id) ?? await reads.read(id, stored(undefined)), undefined);
  }
  assert.equal(reads.size, 0);
});

test("RecentReads keeps the most recently used half of its values, and never exceeds its limit", async () => {
  const { reads } = setUp({ maxEntries: 4 });
  for (const id of ["s1", "s2", "s3"]) await reads.read(id, stored(id));
  reads.recall("s1");
  await reads.read("s4", stored("s4"));
  await reads.read("s4", stored("s4"));
  assert.deepEqual(["s2", "s4", "s1", "s3"].map((id) => reads.recall(id)), [
    undefined,
    "s4",
    "s1",
    "s3",
  ]);
  for (let n = 0; n < 100; n++) {
    await reads.read(`t${n}`, stored("ada"));
    assert.ok(reads.size <= 4, `${reads.size} are kept`);
    assert.equal(reads.recall(`t${n}`), "ada");
  }
});

test("RecentReads.forget() also invalidates values of the older generation", async () => {
  const { reads } = setUp({ maxEntries: 4 });
  for (const id of ["s1", "s2", "s3"]) await reads.read(id, stored("ada"));
  reads.apply(ended("s1"));
  assert.deepEqual(["s1", "s2", "s3"].map((id) => reads.recall(id)), [undefined, "ada", "ada"]);
  reads.apply(userEnded);
  assert.equal(reads.size, 0);
});

test("RecentReads.read() caches nothing after a failed read", async () => {
  const { reads } = setUp();
  const failing = () => Promise.reject(new Error("store is down"));
  await assert.rejects(reads.read("s1", failing), /store is down/);
  assert.equal(reads.recall("s1"), undefined);
  await reads.read("s1", stored("ada"));
  assert.equal(reads.recall("s1"), "ada");
});
