import assert from "node:assert/strict";
import { test } from "node:test";
import { checkNames, lintDocs, type PublicName, publicNames } from "../../../tools/api.ts";

const name = (parts: Partial<PublicName>): PublicName => ({
  from: ".",
  name: "stack",
  at: "lib/a.ts:1",
  kind: "function",
  hasExample: true,
  ...parts,
});

test("checkNames() accepts a name that two exports share", () => {
  assert.deepEqual(checkNames([name({}), name({ from: "./routing" })]), []);
});

test("checkNames() reports a name with two meanings, except one of each runtime", () => {
  const other = name({ from: "./b", at: "lib/b.ts:1" });
  assert.match(checkNames([name({}), other])[0]!, /^stack means one thing in \. and another/);
  const serve = [name({ name: "serve" }), { ...other, name: "serve" }];
  assert.deepEqual(checkNames(serve), []);
});

test("checkNames() reports a function or class without an example, once", () => {
  const bare = name({ hasExample: false });
  const type = name({ name: "Log", kind: "interface", hasExample: false });
  const problems = checkNames([bare, { ...bare, from: "./routing" }, type]);
  assert.deepEqual(problems, ["lib/a.ts:1: stack has no example"]);
});

test("checkNames() reports too many names", () => {
  const names = Array.from({ length: 1000 }, (_, index) => name({ name: `name${index}` }));
  assert.match(checkNames(names)[0]!, /^1000 public names, at most \d+ allowed$/);
});

test("the public API is small, unambiguous and has examples", async () => {
  assert.deepEqual(checkNames(await publicNames()), []);
});

test("deno doc --lint accepts all exports", async () => {
  assert.deepEqual(await lintDocs(), []);
});
