import { test } from "node:test";
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { addRoute } from "../../tools/new/add_route.ts";
import { parseConsumerName } from "../../tools/new/consumer_names.ts";
import { ScaffoldError } from "../../tools/new/consumer_names.ts";
import { TreeCopy } from "../support/tree_copy.ts";

const FILES = [
  "consumers/price_feed_messages.ts",
  "consumers/price_feed_consumer.ts",
  "tests/app/consumers/price_feed_consumer_test.ts",
];

test("task new creates a consumer that compiles, with a test that passes and can fail", {
  timeout: 180_000,
}, async () => {
  await using tree = await TreeCopy.create();
  const made = await tree.deno(["task", "new", "consumer", "price_feed"]);
  assert.equal(made.code, 0, made.output);
  for (const file of FILES) assert.match(made.output, new RegExp(`wrote +${file}`));
  const touched = [...FILES, "realtime.ts"];

  const clean: string[][] = [["check", ...touched, "main.ts"], ["fmt", "--check", ...touched], [
    "lint",
    ...touched,
  ]];
  for (const args of clean) {
    const { code, output } = await tree.deno([...args]);
    assert.equal(code, 0, output);
  }
  const passed = await tree.deno(["test", "-A", FILES[2]!]);
  assert.match(passed.output, /2 passed \| 0 failed/);

  const consumer = await tree.read(FILES[1]!);
  await tree.write(FILES[1]!, consumer.replace("return [GROUP];", "return [];"));
  const failed = await tree.deno(["test", "-A", FILES[2]!]);
  assert.notEqual(failed.code, 0, "its test cannot fail");
});

test("task new adds the route behind the app's gate", async () => {
  await using tree = await TreeCopy.create();
  await tree.deno(["task", "new", "consumer", "a_name_that_is_as_long_as_can_be"]);
  const realtime = await tree.read("realtime.ts");
  assert.match(realtime, /route\("\/ws\/a_name_that_is_as_long_as_can_be", ANameThat/);
  const { code, output } = await tree.deno(["fmt", "--check", "realtime.ts", "consumers"]);
  assert.equal(code, 0, output);
});

test("task new refuses an existing name and writes nothing", async () => {
  await using tree = await TreeCopy.create();
  const before = await tree.read("realtime.ts");
  const { code, output } = await tree.deno(["task", "new", "consumer", "chat"]);
  assert.equal(code, 1);
  assert.match(
    output,
    /^Cannot create a consumer "chat": consumers\/chat_messages\.ts already exists/m,
  );
  assert.equal(await tree.read("realtime.ts"), before);
  assert.equal(existsSync(join(tree.root, "tests/app/consumers")), false);
});

test("task new prints its usage for wrong arguments", async () => {
  await using tree = await TreeCopy.create();
  for (const args of [[], ["consumer"], ["route", "x"], ["consumer", "a", "b"]]) {
    const { code, output } = await tree.deno(["run", "-A", "tools/new.ts", ...args]);
    assert.deepEqual([code, output], [1, "Usage: deno task new consumer NAME\n"]);
  }
});

const BAD = ["Poll", "9lives", "two words", "../x", "a__b", "_a", "a-b", "", "x".repeat(33)];
for (const name of [...BAD, "poll_consumer", "consumer"]) {
  test(`parseConsumerName() refuses ${JSON.stringify(name)} with a full sentence`, () => {
    assert.throws(() => parseConsumerName(name), (error: Error) => {
      assert.ok(error instanceof ScaffoldError);
      assert.match(error.message, /^Cannot name a consumer ".*\.$/);
      return true;
    });
  });
}

test("parseConsumerName() returns the names of all parts", () => {
  assert.deepEqual(parseConsumerName("price_feed2"), {
    name: "price_feed2",
    camel: "priceFeed2",
    pascal: "PriceFeed2",
    path: "/ws/price_feed2",
  });
});

test("addRoute() adds a route to the real realtime.ts, once", async () => {
  const text = await readFile(new URL("../../realtime.ts", import.meta.url), "utf8");
  const names = parseConsumerName("poll");
  const after = addRoute(text, names);
  assert.match(after, /^import { PollConsumer } from "\.\/consumers\/poll_consumer\.ts";$/m);
  assert.match(after, /^ {6}route\("\/ws\/poll", PollConsumer\),$/m);
  assert.throws(() => addRoute(after, names), /already has one for \/ws\/poll/);
  assert.throws(() => addRoute(text, parseConsumerName("chat")), /already has one for \/ws\/chat/);
});

const IMPORT = 'import { A } from "./consumers/a.ts";\n';
const UNFIT: [what: string, text: string][] = [
  ["no router", IMPORT],
  ["two routers", `${IMPORT}a.routes([\n]);\na.routes([\n]);\n`],
  ["a router on one line", `${IMPORT}a.routes([route("/a", A)]);\n`],
  ["no consumer", "a.routes([\n]);\n"],
  ["its router before its imports", `a.routes([\n]);\n${IMPORT}`],
];
for (const [what, text] of UNFIT) {
  test(`addRoute() explains the problem of a realtime.ts with ${what}`, () => {
    assert.throws(() => addRoute(text, parseConsumerName("poll")), (error: Error) => {
      assert.ok(error instanceof ScaffoldError);
      assert.match(error.message, /^Cannot add a route: realtime\.ts .*\.$/s);
      return true;
    });
  });
}
