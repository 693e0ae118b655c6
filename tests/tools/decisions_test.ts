import { test } from "node:test";
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../docs/decisions/", import.meta.url));
const files = (await readdir(folder)).filter((file) => /^\d{4}_\w+\.md$/.test(file)).sort();

for (const file of files) {
  test(`the decision ${file} has a status, a date, alternatives, and when to revisit it`, async () => {
    const text = await readFile(folder + file, "utf8");
    const status = "proposed|accepted|replaced by \\[decision \\d+\\]|replaces";
    assert.match(
      text,
      new RegExp(`^# .+\\n\\n- Status: (?:${status})[^]*?\\n- Date: \\d{4}-\\d\\d-\\d\\d\\n`),
    );
    assert.match(text, /\n## (?:Alternatives|Tried and rejected)/);
    assert.match(text, /revisit|return/i);
  });
}

test("the page of decisions lists all of them", async () => {
  const page = await readFile(`${folder}README.md`, "utf8");
  assert.ok(files.length > 0);
  for (const file of files) assert.ok(page.includes(`](${file})`), file);
});
