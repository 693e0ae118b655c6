import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStreamStore } from "@sluice/sluice/streams";
import { FakeClock, testStreamStore } from "@sluice/sluice/testing";

testStreamStore("MemoryStreamStore", (options) => new MemoryStreamStore(options));

test("MemoryStreamStore drops the least recently used stream beyond its limits", async () => {
  const store = new MemoryStreamStore({ maxStreams: 2 });
  const { epoch } = await store.append("a", { type: "said" });
  await store.append("b", { type: "said" });
  await store.state("a");
  await store.append("c", { type: "said" });
  assert.equal((await store.state("a")).epoch, epoch);
  assert.equal((await store.state("b")).offset, 0);
});

test("MemoryStreamStore keeps all streams within a number of bytes", async () => {
  const store = new MemoryStreamStore({ maxTotalBytes: 5_000 });
  for (let number = 0; number < 10; number++) {
    await store.append(`s${number}`, { type: "said", data: "x".repeat(1_000) });
  }
  const states = await Promise.all(
    Array.from({ length: 10 }, (_, number) => store.state(`s${number}`)),
  );
  assert.equal(states.filter(({ offset }) => offset === 1).length, 4);
});

test("MemoryStreamStore refuses keys beyond its limit, and accepts them after the window", async () => {
  const clock = new FakeClock();
  const store = new MemoryStreamStore({ maxKeys: 3, keyWindowMs: 1_000, clock });
  const append = (key: string) => store.append("room", { type: "said" }, { key });
  for (const key of ["1", "2", "3"]) await append(key);
  await assert.rejects(append("4"), { code: "LIMIT_REACHED" });
  assert.equal((await store.state("room")).offset, 3);
  assert.equal((await append("1")).isRepeated, true);
  await clock.advance(1_000);
  assert.equal((await append("4")).isRepeated, false);
});
