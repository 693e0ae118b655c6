import { test } from "node:test";
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { freshOf, withFresh } from "../../tools/fresh/links.ts";
import { TreeCopy } from "../support/tree_copy.ts";

const config = await readFile(new URL("../../deno.json", import.meta.url), "utf8");

test("withFresh() switches to upstream and back without other changes", () => {
  const standIn = withFresh(config, "stand-in");
  const upstream = withFresh(config, "upstream");
  assert.deepEqual([freshOf(standIn), freshOf(upstream)], ["stand-in", "upstream"]);
  assert.equal("links" in JSON.parse(upstream), false);
  assert.deepEqual(JSON.parse(standIn), { ...JSON.parse(upstream), links: ["./compat/fresh"] });
  assert.equal(withFresh(upstream, "stand-in"), standIn);
  assert.equal(withFresh(standIn, "stand-in"), standIn);
});

test("task fresh prints the Fresh in use, and changes nothing if JSR is unreachable", async () => {
  await using tree = await TreeCopy.create();
  await tree.write("deno.json", withFresh(config, "stand-in"));
  const before = [await tree.read("deno.json"), await tree.read("deno.lock")];
  const env = { JSR_URL: "http://127.0.0.1:1/" };
  const { code, output } = await tree.deno(["task", "fresh", "upstream"], env);
  assert.equal(code, 1);
  assert.match(output, /Nothing was changed: cannot load upstream/);
  assert.deepEqual([await tree.read("deno.json"), await tree.read("deno.lock")], before);

  assert.match((await tree.deno(["task", "fresh"])).output, /The app runs on the stand-in/);
  const other = await tree.deno(["task", "fresh", "downstream"]);
  assert.equal(other.code, 1);
  assert.match(other.output, /Unknown Fresh "downstream": use "upstream" or "stand-in"/);
});
