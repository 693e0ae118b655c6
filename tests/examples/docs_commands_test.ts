import { test } from "node:test";
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readFences } from "../../tools/docs/fences.ts";
import { PageReplay } from "../support/examples/page_replay.ts";

const DOCS = fileURLToPath(new URL("../../docs/", import.meta.url));
const PLAYED = /^(?:console|frames)$/;

for (const file of (await readdir(DOCS, { recursive: true })).sort()) {
  // The parts of the tutorial build on each other and have their own test.
  if (!file.endsWith(".md") || file.startsWith("tutorial/")) continue;
  const fences = readFences(await readFile(DOCS + file, "utf8"));
  if (!fences.some(({ language, attributes }) => PLAYED.test(language) || attributes.has("file"))) {
    continue;
  }
  test(`the commands in docs/${file} work as shown`, async () => {
    await using replay = await PageReplay.create();
    await replay.play(`docs/${file}`);
    assert.ok(replay.played > 0);
  });
}
