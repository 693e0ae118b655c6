import { test } from "node:test";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { proseOf, readProse } from "../../tools/prose.ts";

/** Largest share of prose lines that may have a marked phrase. A mark is not always a mistake. */
const MAX_SHARE = 0.005;

test("comments, docs and test titles have few phrases that read as if translated", async () => {
  const { lines, marked } = await readProse(fileURLToPath(new URL("../../", import.meta.url)));
  const list = marked.map(({ place, text, hint }) => `${place}: ${text} (${hint})`).join("\n");
  assert.ok(lines > 10_000, `${lines} lines`);
  assert.ok(marked.length <= lines * MAX_SHARE, `${marked.length} of ${lines} lines:\n${list}`);
});

test("proseOf() reads comments and test titles of TypeScript, and not its code", () => {
  const text = [
    "/** A comment. */",
    "const a = 1; // not read",
    "  // A line.",
    'test("a title", () => {',
    "  await t.test(`step`, run);",
    'const b = "text";',
  ].join("\n");
  assert.deepEqual(proseOf("a.ts", text).map(([line]) => line), [1, 3, 4, 5]);
});

test("proseOf() reads Markdown without blank lines and code blocks", () => {
  const text = "# Title\n\n```ts\n// code\n```\nText.\n";
  assert.deepEqual(proseOf("a.md", text), [[1, "# Title"], [6, "Text."]]);
});
