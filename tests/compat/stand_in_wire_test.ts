import assert from "node:assert/strict";
import { computed, signal } from "@preact/signals";
import { h } from "preact";
import { readProps } from "../../compat/fresh/client/read_props.ts";
import { serializeProps } from "../../compat/fresh/render/serialize_props.ts";
import { standInTest as test } from "../support/compat/fresh_app.ts";

/** Serialises and parses a value as an island's only property. */
function send<T>(value: T): T {
  return readProps(serializeProps([{ value }]))[0].value as T;
}

const VALUES: unknown[] = [
  "",
  "</script>",
  0,
  -0,
  NaN,
  Infinity,
  -Infinity,
  1.5,
  12n,
  true,
  null,
  undefined,
  [],
  [1, [2, "1"]],
  {},
  { a: { b: undefined }, "": 1 },
  new Date(1),
  new URL("https://example.com/"),
  /a\/b/g,
  new Set([1, "1"]),
  new Map([[{}, new Set()]]),
  new Uint8Array([1, 2, 3]).subarray(1),
  Temporal.PlainDate.from("2026-11-29"),
];

for (const value of VALUES) {
  test(`a property arrives unchanged: ${Deno.inspect(value)}`, () => {
    assert.deepEqual(send(value), value);
    assert.ok(Object.is(send(value), -0) === Object.is(value, -0));
  });
}

test("an invalid date arrives as an invalid date", () => {
  assert.ok(Number.isNaN(send(new Date(NaN)).getTime()));
});

test("gaps in an array stay gaps", () => {
  // deno-lint-ignore no-sparse-arrays
  assert.deepEqual(Object.keys(send([1, , 3])), ["0", "2"]);
});

test("object identity is preserved in all kinds of containers", () => {
  const shared = { name: "shared" };
  const sent = send({ list: [shared], set: new Set([shared]), map: new Map([[shared, shared]]) });
  assert.ok(sent.set.has(sent.list[0]));
  assert.equal(sent.map.get(sent.list[0]), sent.list[0]);
});

test("a container may contain itself", () => {
  const list: unknown[] = [];
  list.push(list);
  const sent = send(list);
  assert.equal(sent[0], sent);
  const map = new Map<string, unknown>();
  map.set("self", map);
  const sentMap = send(map);
  assert.equal(sentMap.get("self"), sentMap);
});

test("a signal arrives as a signal, and a computed signal with its value", () => {
  const sent = send({ first: signal(1), second: computed(() => 2) });
  sent.first.value++;
  assert.equal(sent.first.value, 2);
  assert.equal(sent.second.value, 2);
  assert.throws(() => ((sent.second as { value: number }).value = 3));
});

test("a property named __proto__ stays a property and sets no prototype", () => {
  // Browsers have this accessor; Deno does not.
  Object.defineProperty(Object.prototype, "__proto__", {
    set(prototype) {
      Object.setPrototypeOf(this, prototype);
    },
    configurable: true,
  });
  const sent = send(JSON.parse('{ "__proto__": { "admin": true } }'));
  delete (Object.prototype as { __proto__?: unknown }).__proto__;
  assert.equal(Object.getPrototypeOf(sent), Object.prototype);
  assert.ok(Object.hasOwn(sent, "__proto__"));
  assert.equal(sent.admin, undefined);
});

const REFUSED: [what: string, value: unknown, message: RegExp][] = [
  ["a function", () => {}, /A function cannot be passed to an island/],
  ["a symbol", Symbol(), /A symbol cannot be passed to an island/],
  ["JSX in a list", [h("p", null)], /JSX can be passed to an island as a property/],
];

for (const [what, value, message] of REFUSED) {
  test(`${what} cannot be sent`, () => assert.throws(() => send(value), message));
}
