import assert from "node:assert/strict";
import { test } from "node:test";
import { randomId } from "../../../lib/sessions/tokens/secrets.ts";
import { ReadCache } from "../../../lib/sessions/cache/read_cache.ts";

function setUp(options: { maxEntries?: number } = {}) {
  const trust = { isGiven: true };
  const cache = new ReadCache<string>({ isFresh: () => trust.isGiven, ...options });
  return { trust, cache };
}

const stored = (value: string | undefined) => () => Promise.resolve(value);
/** Invalidates the values of Ada. */
const invalidateAda = (cache: ReadCache<string>) =>
  cache.invalidateWhere((value) => value === "ada");

test("ReadCache.get() returns cached values only", async () => {
  const { cache } = setUp();
  assert.equal(cache.get("s1"), undefined);
  assert.equal(await cache.load("s1", stored("ada")), "ada");
  assert.equal(cache.get("s1"), "ada");
  assert.equal(cache.get("s2"), undefined);
});

test("ReadCache.invalidate() and invalidateWhere() remove exactly the outdated values", async () => {
  const { cache } = setUp();
  for (const id of ["s1", "s2"]) await cache.load(id, stored("ada"));
  await cache.load("s3", stored("eve"));
  cache.invalidate("s1");
  assert.deepEqual(["s1", "s2", "s3"].map((id) => cache.get(id)), [undefined, "ada", "eve"]);
  invalidateAda(cache);
  assert.deepEqual(["s2", "s3"].map((id) => cache.get(id)), [undefined, "eve"]);
});

for (
  const [what, happen] of [
    ["its own event", (cache: ReadCache<string>) => cache.invalidate("s1")],
    ["its user's event", (cache: ReadCache<string>) => invalidateAda(cache)],
    ["a gap in the log", (cache: ReadCache<string>) => cache.clear()],
  ] as const
) {
  test(`ReadCache.load() caches no read in progress during ${what}`, async () => {
    const { cache } = setUp();
    const answer = Promise.withResolvers<string>();
    const reading = cache.load("s1", () => answer.promise);
    happen(cache);
    answer.resolve("ada");
    assert.equal(await reading, "ada");
    assert.equal(cache.get("s1"), undefined);
  });
}

test("ReadCache.load() caches a read from after an event, not one from before it", async () => {
  const { cache } = setUp();
  const [before, after] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const first = cache.load("s1", () => before.promise);
  cache.invalidate("s1");
  const second = cache.load("s1", () => after.promise);
  after.resolve("new");
  await second;
  before.resolve("old");
  await first;
  assert.equal(cache.get("s1"), "new");
});

test("ReadCache.load() caches a read interrupted by another user's event", async () => {
  const { cache } = setUp();
  const answer = Promise.withResolvers<string>();
  const reading = cache.load("s1", () => answer.promise);
  cache.invalidate("s2");
  answer.resolve("ada");
  await reading;
  assert.equal(cache.get("s1"), "ada");
});

test("ReadCache.get() returns nothing while untrusted, and the remaining values afterwards", async () => {
  const { cache, trust } = setUp();
  for (const id of ["s1", "s2"]) await cache.load(id, stored("ada"));
  trust.isGiven = false;
  assert.equal(cache.get("s1"), undefined);
  cache.invalidate("s1");
  trust.isGiven = true;
  assert.deepEqual(["s1", "s2"].map((id) => cache.get(id)), [undefined, "ada"]);
});

test("ReadCache caches nothing for 10,000 unknown ids", async () => {
  const { cache } = setUp();
  for (let n = 0; n < 10_000; n++) {
    const id = randomId();
    assert.equal(cache.get(id) ?? await cache.load(id, stored(undefined)), undefined);
  }
  assert.equal(cache.size, 0);
});

test("ReadCache keeps the most recently used half of its values, and never exceeds its limit", async () => {
  const { cache } = setUp({ maxEntries: 4 });
  for (const id of ["s1", "s2", "s3"]) await cache.load(id, stored(id));
  cache.get("s1");
  await cache.load("s4", stored("s4"));
  await cache.load("s4", stored("s4"));
  assert.deepEqual(["s2", "s4", "s1", "s3"].map((id) => cache.get(id)), [
    undefined,
    "s4",
    "s1",
    "s3",
  ]);
  for (let n = 0; n < 100; n++) {
    await cache.load(`t${n}`, stored("ada"));
    assert.ok(cache.size <= 4, `${cache.size} are kept`);
    assert.equal(cache.get(`t${n}`), "ada");
  }
});

test("ReadCache.invalidate() also removes values of the older generation", async () => {
  const { cache } = setUp({ maxEntries: 4 });
  for (const id of ["s1", "s2", "s3"]) await cache.load(id, stored("ada"));
  cache.invalidate("s1");
  assert.deepEqual(["s1", "s2", "s3"].map((id) => cache.get(id)), [undefined, "ada", "ada"]);
  invalidateAda(cache);
  assert.equal(cache.size, 0);
});

test("ReadCache.load() caches nothing after a failed read", async () => {
  const { cache } = setUp();
  const failing = () => Promise.reject(new Error("store is down"));
  await assert.rejects(cache.load("s1", failing), /store is down/);
  assert.equal(cache.get("s1"), undefined);
  await cache.load("s1", stored("ada"));
  assert.equal(cache.get("s1"), "ada");
});
