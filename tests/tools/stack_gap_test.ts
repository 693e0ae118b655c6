import { test } from "node:test";
import assert from "node:assert/strict";
import { TreeCopy } from "../support/tree_copy.ts";

const gaps: [what: string, line: RegExp, refusal: RegExp][] = [
  ["an origin check", /\n *\.use\(origins\(.*/, /origin/i],
  ["requireUser()", /\n *\.use\(requireUser\(\)\)/, /requireUser|allowAnonymous/],
];

for (const [what, line, refusal] of gaps) {
  const name = `the start fails without ${what} in realtime.ts, even without a type check`;
  test(name, { timeout: 180_000 }, async () => {
    await using tree = await TreeCopy.create();
    const text = await tree.read("realtime.ts");
    const gap = text.replace(line, "");
    assert.notEqual(gap, text);
    await tree.write("realtime.ts", gap);
    const env = { DENO_KV_PATH: ":memory:", PORT: "0" };
    const { code, output } = await tree.deno(["run", "-A", "--no-check", "dev.ts", "check"], env);
    assert.equal(code, 1, output);
    assert.match(output, refusal);
  });
}
