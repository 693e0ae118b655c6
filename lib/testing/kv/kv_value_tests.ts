import assert from "node:assert/strict";
import type { DefineKeyValueTest } from "./key_value_bed.ts";

const KEY = ["value"];

const VALUES: readonly [string, unknown][] = [
  ["null", null],
  ["true", true],
  ["false", false],
  ["0", 0],
  ["an integer", 2 ** 53],
  ["a fraction", -1.5e-300],
  ["an empty string", ""],
  ["NUL and control characters", "a\0b\u0001\u007f\n"],
  ["lone surrogates", "\ud800 \udc00"],
  ["letters of all planes", "é ü 漢 😀"],
  ["text like a mark of bytes", '{"$bytes":"AA=="}'],
  ["bytes", new Uint8Array([0, 1, 254, 255])],
  ["no bytes", new Uint8Array()],
  ["an empty array", []],
  ["an empty object", {}],
  ["nested values", { a: [1, [null, { b: new Uint8Array([7]) }]], c: { d: "e" } }],
  ["names like a mark of bytes", { $bytes: "AA==", $$bytes: "AA==", $: 1, "": 2 }],
  ["an object with a mark's name", { $bytes: "AA==" }],
  ["__proto__ as a property", JSON.parse('{"__proto__":{"a":1},"constructor":2}')],
];

class Custom {}

const INVALID: readonly [string, unknown][] = [
  ["undefined", undefined],
  ["NaN", NaN],
  ["Infinity", { a: Infinity }],
  ["a bigint", [1n]],
  ["a symbol", Symbol("a")],
  ["a function", { a: () => {} }],
  ["a Date", new Date(0)],
  ["a Map", new Map()],
  ["a class instance", { a: new Custom() }],
  ["another typed array", new Uint16Array(1)],
  ["an ArrayBuffer", new ArrayBuffer(1)],
  ["undefined in an array", [undefined]],
  ["too many levels", nested(201)],
];

/** Section 2 of the specification. */
export function valueTests(test: DefineKeyValueTest): void {
  test("[K3] values are returned as they were stored", async (kv) => {
    for (const [what, value] of VALUES) {
      await kv.set(KEY, value);
      assert.deepEqual((await kv.get(KEY)).value, value, what);
      assert.deepEqual((await kv.list({ prefix: [] })).entries[0]?.value, value, what);
    }
    await kv.set(KEY, nested(200));
    assert.deepEqual((await kv.get(KEY)).value, nested(200));
  });

  test("[K3] bytes are returned as a plain Uint8Array", async (kv) => {
    await kv.set(KEY, new Uint8Array([1, 2, 3]).subarray(1));
    const { value } = await kv.get(KEY);
    assert.ok(value instanceof Uint8Array);
    assert.equal(Object.getPrototypeOf(value), Uint8Array.prototype);
    assert.deepEqual([...value], [2, 3]);
  });

  test("[K3] properties that are undefined are left out, and -0 becomes 0", async (kv) => {
    await kv.set(KEY, { a: undefined, b: -0 });
    const { value } = await kv.get<{ b: number }>(KEY);
    assert.deepEqual(Object.keys(value ?? {}), ["b"]);
    assert.ok(Object.is(value?.b, 0));
  });

  test("[K3] values are copies", async (kv) => {
    const value = { list: [1] };
    const operation = kv.atomic().set(KEY, value);
    value.list.push(2);
    await operation.commit();
    const first = await kv.get<typeof value>(KEY);
    first.value?.list.push(3);
    assert.deepEqual((await kv.get(KEY)).value, { list: [1] });
  });

  test("[K4] other values are refused, and nothing is written", async (kv) => {
    for (const [what, value] of INVALID) {
      await assert.rejects(kv.set(KEY, value), TypeError, what);
    }
    const cycle: unknown[] = [];
    cycle.push(cycle);
    await assert.rejects(kv.set(KEY, cycle), TypeError);
    assert.equal((await kv.get(KEY)).version, null);
  });

  test("[K4] a value of 65,000 bytes is accepted, a larger one is refused", async (kv) => {
    for (const value of [text("x", 64_990), text("漢", 32_495), new Uint8Array(64_990)]) {
      await kv.set(KEY, value);
      assert.deepEqual((await kv.get(KEY)).value, value);
    }
    for (const value of [text("x", 64_991), text("漢", 32_496), new Uint8Array(64_991)]) {
      await assert.rejects(kv.set(KEY, value), RangeError);
    }
    const numbers = Array.from({ length: 6_499 }, (_, index) => index + 0.1);
    await kv.set(KEY, numbers);
    assert.deepEqual((await kv.get(KEY)).value, numbers);
    await assert.rejects(kv.set(KEY, [...numbers, 1]), RangeError);
  });
}

function text(character: string, length: number): string {
  return character.repeat(length);
}

/** Returns so many arrays inside of each other. */
function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}
