import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { KeyValue } from "../../kv/mod.ts";
import type { DefineKeyValueTest } from "./key_value_bed.ts";

/** The guarantees that concurrent calls need, within one process. */
export function concurrencyTests(test: DefineKeyValueTest): void {
  test("[K7] a read sees the commits before it, whatever else is read", async (kv) => {
    for (let round = 1; round <= 20; round++) {
      const earlier = Array.from({ length: 15 }, () => kv.get(["a"]));
      await kv.set(["a"], round);
      assert.equal((await kv.get(["a"])).value, round);
      await Promise.all(earlier);
    }
  });

  test("[K10] no read sees a part of an operation", async (kv) => {
    await write(kv, 0);
    let isDone = false;
    const writing = (async () => {
      for (let round = 1; round <= 40; round++) await write(kv, round);
      isDone = true;
    })();
    while (!isDone) {
      const results = await kv.getMany(PAIR);
      assert.equal(results[0]?.value, results[1]?.value);
      const { entries } = await kv.list({ prefix: ["pair"] });
      assert.equal(entries[0]?.value, entries[1]?.value);
      await setImmediate(); // Reads alone could keep the event loop busy.
    }
    await writing;
  });

  test("[K11] exactly one of concurrent commits with the same check succeeds", async (kv) => {
    for (let round = 0; round < 5; round++) {
      const before = await kv.get(["a"]);
      const commits = Array.from(
        { length: 20 },
        (_, index) => kv.atomic().check(before).set(["a"], [round, index]).commit(),
      );
      const winners = (await Promise.all(commits)).flatMap(({ ok }, index) => ok ? [index] : []);
      assert.equal(winners.length, 1);
      assert.deepEqual((await kv.get(["a"])).value, [round, winners[0]]);
    }
  });

  test("[K11] a counter with check-and-set loses no step", async (kv) => {
    await Promise.all(Array.from({ length: 8 }, () => countUp(kv, 10)));
    assert.equal((await kv.get(["count"])).value, 80);
  });

  test("[K12] crossed checks do not both succeed", async (kv) => {
    for (let round = 0; round < 20; round++) {
      const [a, b] = await kv.getMany([["a"], ["b"]]);
      const results = await Promise.all([
        kv.atomic().check(a!).set(["b"], round).commit(),
        kv.atomic().check(b!).set(["a"], round).commit(),
      ]);
      assert.ok(results.filter(({ ok }) => ok).length <= 1);
    }
  });

  test("[K13] versions follow the order of commits", async (kv) => {
    const versions = await Promise.all(
      Array.from({ length: 20 }, (_, index) => kv.set(["a"], index)),
    );
    const latest = await kv.get<number>(["a"]);
    assert.equal(latest.version, versions.toSorted().at(-1));
    assert.equal(latest.version, versions[latest.value!]);
    assert.equal(new Set(versions).size, 20);
    assert.ok(await kv.set(["b"], 1) > versions.toSorted().at(-1)!);
  });
}

/** Adds to a counter with check-and-set, again after each conflict. */
export async function countUp(kv: KeyValue, steps: number): Promise<void> {
  for (let step = 0; step < steps;) {
    const count = await kv.get<number>(["count"]);
    const next = kv.atomic().check(count).set(count.key, (count.value ?? 0) + 1);
    if ((await next.commit()).ok) step++;
  }
}

const PAIR = [["pair", "a"], ["pair", "b"]];

async function write(kv: KeyValue, value: number): Promise<void> {
  await kv.atomic().set(PAIR[0]!, value).set(PAIR[1]!, value).commit();
}
