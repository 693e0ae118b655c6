import assert from "node:assert/strict";
import { countUp } from "./kv_concurrency_tests.ts";
import type { DefineKeyValueTest, KeyValueSuiteOptions } from "./key_value_bed.ts";

/** The guarantees between processes. */
export function processTests(test: DefineKeyValueTest, { hears }: KeyValueSuiteOptions): void {
  test("[K7] a read sees the commits of another process before it", async (kv, bed) => {
    const other = await bed.open();
    for (let round = 0; round < 20; round++) {
      const version = await kv.set(["a"], round);
      assert.deepEqual(await other.get(["a"]), { key: ["a"], value: round, version });
    }
  });

  test("[K11] a counter of several processes loses no step", async (kv, bed) => {
    const others = [kv, await bed.open(), await bed.open()];
    await Promise.all(others.flatMap((each) => [countUp(each, 10), countUp(each, 10)]));
    assert.equal((await kv.get(["count"])).value, 60);
  });

  test("[K11] exactly one of several processes takes a missing key", async (kv, bed) => {
    const others = [kv, await bed.open(), await bed.open(), await bed.open()];
    for (let round = 0; round < 15; round++) {
      const key = ["ticket", round];
      const results = await Promise.all(others.map((each) => {
        return each.atomic().check({ key, version: null }).set(key, null).commit();
      }));
      assert.equal(results.filter(({ ok }) => ok).length, 1);
    }
  });

  test("[K13] versions grow over processes", async (kv, bed) => {
    const other = await bed.open();
    const versions: string[] = [];
    for (let round = 0; round < 10; round++) {
      versions.push(await kv.set(["a"], round), await other.set(["b"], round));
    }
    assert.deepEqual(versions, versions.toSorted());
  });

  test("[K16] what one process has written remains when it closes", async (kv, bed) => {
    const other = await bed.open();
    const version = await other.set(["a"], 1);
    await other.close();
    assert.equal((await kv.get(["a"])).version, version);
    assert.equal((await (await bed.open()).get(["a"])).version, version);
  });

  if (!hears) return;
  test("[K21] onChange() hears the commits of another process", async (kv, bed) => {
    const other = await bed.open();
    for (let round = 0; round < 3; round++) {
      const called = Promise.withResolvers<void>();
      const stop = kv.onChange("topic", called.resolve);
      const again = async () => {
        // The first commits may come before the listener is in place.
        for (let isCalled = false; !isCalled;) {
          await other.atomic().set(["a"], round).notify("topic").commit();
          isCalled = await Promise.race([called.promise.then(() => true), turn()]);
        }
      };
      await again();
      stop();
    }
  });
}

function turn(): Promise<boolean> {
  return new Promise((resolve) => setTimeout(() => resolve(false), 20));
}
