import assert from "node:assert/strict";
import type { LayerMessage } from "../../layers/mod.ts";
import type { DefineLayerTest } from "./layer_bed.ts";

class Point {
  x = 1;
}

const CYCLE: unknown[] = [];
CYCLE.push(CYCLE);

const DECEPTIVE = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toString":null,"":""}');

/** Data that arrives unchanged. */
const PLAIN: readonly unknown[] = [
  null,
  false,
  "",
  "zażółć 🌊 \u0000 \u2028 \ud800",
  'a\nb"c\\',
  0,
  -1.5e-300,
  Number.MAX_SAFE_INTEGER,
  [],
  {},
  [[1, [2, [null]]], { a: { b: [{}] } }],
  Object.assign(Object.create(null), { bare: true }),
  DECEPTIVE,
];

/** Data that JSON would change, lose or refuse. */
const NOT_PLAIN: readonly [string, unknown][] = [
  ["a Date", new Date(0)],
  ["a Map", new Map()],
  ["bytes", new Uint8Array(2)],
  ["a class", new Point()],
  ["a BigInt", 1n],
  ["NaN", NaN],
  ["Infinity", -Infinity],
  ["a function", () => 1],
  ["a symbol", Symbol("s")],
  ["a symbol for a key", { [Symbol("s")]: 1 }],
  ["undefined in a list", [undefined]],
  // deno-lint-ignore no-sparse-arrays
  ["a hole", [1, , 2]],
  ["a cycle", CYCLE],
  ["an own toJSON", { toJSON: () => 1 }],
];

/** Section 2 of the specification: messages. */
export function messageTests(test: DefineLayerTest): void {
  test("[S3] plain data arrives unchanged", async (bed) => {
    const layer = await bed.open();
    const { inbox } = await bed.member(layer, "g");
    for (const [index, data] of PLAIN.entries()) {
      const message = { type: "x", data };
      await layer.send("a", message);
      await layer.groupSend("g", message);
      const expected = JSON.parse(JSON.stringify(message));
      assert.deepEqual(await layer.receive("a"), expected);
      assert.deepEqual((await inbox.wait(index + 1)).at(-1), expected);
    }
    assert.equal(({} as { admin?: boolean }).admin, undefined);
  });

  test("[S3] undefined properties are dropped, and -0 becomes 0", async (bed) => {
    const layer = await bed.open();
    await layer.send("a", { type: "x", data: { gone: undefined, zero: -0 } });
    assert.deepEqual(await layer.receive("a"), { type: "x", data: { zero: 0 } });
  });

  test("[S3] data that is not plain is refused with its path", async (bed) => {
    const layer = await bed.open();
    for (const [what, bad] of NOT_PLAIN) {
      const message = { type: "x", data: { list: [0, bad] } };
      const names = (error: Error) =>
        error instanceof TypeError && /data\.list\.1/.test(error.message);
      await assert.rejects(layer.send("a", message), names, what);
      await assert.rejects(layer.groupSend("g", message), names, what);
    }
  });

  test("[S3] a message without a type is refused", async (bed) => {
    const layer = await bed.open();
    for (const bad of [{ type: "" }, {}, null, "text", { type: 1 }]) {
      await assert.rejects(layer.send("a", bad as LayerMessage), TypeError);
      await assert.rejects(layer.groupSend("g", bad as LayerMessage), TypeError);
    }
  });

  test("[S4] a message may have 1 MiB and not a byte more", async (bed) => {
    const layer = await bed.open();
    const overhead = JSON.stringify({ type: "x", data: "" }).length;
    const fits = { type: "x", data: "é".repeat((1024 * 1024 - overhead) / 2 - 1) };
    const { inbox } = await bed.member(layer, "g");
    await layer.send("a", fits);
    await layer.groupSend("g", fits);
    assert.deepEqual(await layer.receive("a"), fits);
    assert.deepEqual((await inbox.wait(1))[0], fits);
    const large = { type: "x", data: fits.data + "éé" };
    await assert.rejects(layer.send("a", large), { code: "MESSAGE_TOO_LARGE" });
    await assert.rejects(layer.groupSend("g", large), { code: "MESSAGE_TOO_LARGE" });
  });

  test("[S4] maxMessageBytes limits the JSON text in UTF-8", async (bed) => {
    const layer = await bed.open({ maxMessageBytes: 30 });
    const room = 30 - JSON.stringify({ type: "x", data: "" }).length;
    await layer.send("a", { type: "x", data: "x".repeat(room) });
    await layer.send("a", { type: "x", data: "\u0000" });
    for (const data of ["x".repeat(room + 1), "é".repeat(room / 2 + 1), "\u0000\u0000"]) {
      await assert.rejects(layer.send("a", { type: "x", data }), { code: "MESSAGE_TOO_LARGE" });
    }
  });

  test("[S5] later changes by the sender have no effect, and readers cannot change a message", async (bed) => {
    const layer = await bed.open();
    const { inbox } = await bed.member(layer, "g");
    const message = { type: "x", data: { list: [1] } };
    await layer.send("a", message);
    await layer.groupSend("g", message);
    message.data.list.push(2);
    for (
      const received of [await layer.receive("a"), (await inbox.wait(1))[0]] as (typeof message)[]
    ) {
      assert.deepEqual(received.data.list, [1]);
      assert.throws(() => received.data.list.push(3), TypeError);
      assert.throws(() => (received as { type: string }).type = "y", TypeError);
    }
  });

  test("[S5] all members in one process receive the same object", async (bed) => {
    const layer = await bed.open();
    const [one, other] = [await bed.member(layer, "g"), await bed.member(layer, "g")];
    await layer.groupSend("g", { type: "x", data: [1] });
    assert.equal((await one.inbox.wait(1))[0], (await other.inbox.wait(1))[0]);
  });
}
