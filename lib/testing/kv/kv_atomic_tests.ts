import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { KeyValue } from "../../kv/mod.ts";
import type { DefineKeyValueTest, KeyValueSuiteOptions } from "./key_value_bed.ts";

/** Sections 4 to 7 of the specification, for one caller at a time. */
export function atomicTests(test: DefineKeyValueTest, { expiresLate }: KeyValueSuiteOptions): void {
  test("[K10] an operation writes and deletes together", async (kv) => {
    await kv.set(["old"], 1);
    const result = await kv.atomic().set(["a"], 1).set(["b"], 2).delete(["old"]).commit();
    assert.ok(result.ok);
    const [a, b, old] = await kv.getMany([["a"], ["b"], ["old"]]);
    assert.deepEqual([a?.value, b?.value, old?.value], [1, 2, undefined]);
    assert.deepEqual([a?.version, b?.version], [result.version, result.version]);
  });

  test("[K11] a failed check writes nothing", async (kv) => {
    const before = await kv.get(["a"]);
    await kv.set(["a"], 1);
    const operation = kv.atomic().check(before).set(["a"], 2).set(["b"], 2);
    assert.deepEqual(await operation.commit(), { ok: false });
    assert.deepEqual(await values(kv), [1, undefined]);
  });

  test("[K11] a check holds while the version is the same", async (kv) => {
    await kv.set(["a"], 1);
    const read = await kv.get(["a"]);
    assert.ok((await kv.atomic().check(read).set(["b"], 1).commit()).ok);
    assert.ok((await kv.atomic().check(read).set(["a"], 2).commit()).ok);
    assert.equal((await kv.atomic().check(read).set(["b"], 2).commit()).ok, false);
    assert.deepEqual(await values(kv), [2, 1]);
  });

  test("[K11] the same value written again has another version", async (kv) => {
    const first = await kv.set(["a"], 1);
    const read = await kv.get(["a"]);
    assert.equal(read.version, first);
    await kv.set(["a"], 1);
    assert.equal((await kv.atomic().check(read).set(["a"], 2).commit()).ok, false);
  });

  test("[K11] contradictory checks fail, and an operation without checks does not", async (kv) => {
    const missing = await kv.get(["a"]);
    await kv.set(["a"], 1);
    const present = await kv.get(["a"]);
    assert.equal((await kv.atomic().check(missing, present).set(["b"], 1).commit()).ok, false);
    assert.equal((await kv.atomic().check(present, missing).set(["b"], 1).commit()).ok, false);
    assert.ok((await kv.atomic().check(present, present).commit()).ok);
    assert.ok((await kv.atomic().commit()).ok);
  });

  test("[K13] versions grow, and are not reused after a deletion", async (kv) => {
    const versions: string[] = [];
    let latest = await kv.get(["a"]);
    for (let round = 0; round < 12; round++) {
      versions.push(await kv.set(["a"], round));
      await kv.delete(["a"]);
      assert.equal((await kv.atomic().check(latest).set(["b"], 1).commit()).ok, round === 0);
      await kv.set(["a"], "again");
      latest = await kv.get(["a"]);
      versions.push(latest.version ?? "");
    }
    assert.deepEqual(versions, [...new Set(versions)].sort());
  });

  test("[K14] of several writes of one key, the last one counts", async (kv) => {
    await kv.atomic().set(["a"], 1).delete(["a"]).set(["a"], 2).commit();
    await kv.atomic().set(["b"], 1).delete(["b"]).commit();
    assert.deepEqual(await values(kv), [2, undefined]);
  });

  test("[K14] 10 checks and 500 writes are accepted, more are refused", async (kv) => {
    const operation = kv.atomic();
    for (let n = 0; n < 10; n++) operation.check({ key: ["n", n], version: null });
    for (let n = 0; n < 500; n++) operation.set(["n", n], n);
    assert.ok((await operation.commit()).ok);
    await assert.rejects(operation.set(["n", 500], 1).commit(), RangeError);
    const checks = kv.atomic();
    for (let n = 0; n < 11; n++) checks.check({ key: ["m", n], version: null });
    await assert.rejects(checks.commit(), RangeError);
    assert.equal((await kv.get(["n", 500])).version, null);
  });

  test("[K14] 800,000 bytes are accepted, more are refused", async (kv) => {
    const operation = kv.atomic();
    for (let n = 0; n < 12; n++) operation.set(["n", n], new Uint8Array(64_990));
    assert.ok((await operation.commit()).ok);
    await assert.rejects(operation.set(["n", 12], new Uint8Array(64_990)).commit(), RangeError);
  });

  test("[K15] a commit that was given up writes nothing", async (kv) => {
    const operation = kv.atomic().set(["a"], 1);
    const givenUp = operation.commit({ signal: AbortSignal.abort() });
    await assert.rejects(givenUp, { name: "KeyValueError", code: "UNAVAILABLE" });
    assert.equal((await kv.get(["a"])).version, null);
    assert.ok((await operation.commit({ signal: new AbortController().signal })).ok);
    assert.equal((await kv.get(["a"])).value, 1);
  });

  test("[K17] an entry stays until its expiry", async (kv) => {
    await kv.set(["a"], 1, { expireInMs: 60_000 });
    await kv.set(["b"], 1, { expireInMs: 0.5 });
    await kv.set(["b"], 2);
    assert.deepEqual(await values(kv), [1, 2]);
    for (const expireInMs of [0, -1, NaN, Infinity]) {
      await assert.rejects(kv.set(["a"], 2, { expireInMs }), RangeError);
    }
  });

  if (!expiresLate) {
    test("[K17] an expired entry counts as missing", async (kv) => {
      await kv.set(["a"], 1, { expireInMs: 1 });
      while ((await kv.get(["a"])).version !== null) await setTimeout(1);
      assert.deepEqual((await kv.list({ prefix: [] })).entries, []);
      const create = kv.atomic().check({ key: ["a"], version: null }).set(["a"], 2);
      assert.ok((await create.commit()).ok);
      assert.equal((await kv.get(["a"])).value, 2);
    });
  }

  test("[K20] a closed database refuses every call", async (kv) => {
    const operation = kv.atomic().set(["a"], 1);
    await kv.close();
    await kv.close();
    const closed = { name: "KeyValueError", code: "CLOSED" };
    await assert.rejects(kv.get(["a"]), closed);
    await assert.rejects(kv.getMany([["a"]]), closed);
    await assert.rejects(kv.list({ prefix: [] }), closed);
    await assert.rejects(kv.set(["a"], 1), closed);
    await assert.rejects(kv.delete(["a"]), closed);
    await assert.rejects(operation.commit(), closed);
  });

  test("[K21] onChange() calls the listeners of the topic", async (kv) => {
    const called = Promise.withResolvers<void>();
    const calls: string[] = [];
    const stop = kv.onChange("stopped", () => calls.push("stopped"));
    kv.onChange("topic", called.resolve);
    stop();
    await kv.atomic().set(["a"], 2).notify("topic").notify("stopped").commit();
    await called.promise;
    assert.deepEqual(calls, []);
    for (const topic of ["", "a b", "x".repeat(201), "é"]) {
      assert.throws(() => kv.onChange(topic, () => {}), TypeError);
      assert.throws(() => kv.atomic().notify(topic), TypeError);
    }
  });
}

async function values(kv: KeyValue): Promise<unknown[]> {
  return (await kv.getMany([["a"], ["b"]])).map(({ value }) => value);
}
