import { test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkLayout } from "../../tools/layout.ts";
import { checkRooms, folderTable, withFolderTable } from "../../tools/layout/folder_table.ts";
import { findCycles, readImports } from "../../tools/layout/import_cycles.ts";
import { ROOMS } from "../../tools/layout/rooms.ts";
import {
  checkFolders,
  checkLengths,
  checkTests,
  MAX_FILES,
  MAX_LINES,
} from "../../tools/layout/sizes.ts";

function graph(arrows: Record<string, string[]>) {
  return new Map(Object.entries(arrows).map(([file, imports]) => [file, new Set(imports)]));
}

test("findCycles() finds every group of files that import each other", () => {
  const cycles = findCycles(graph({
    "a.ts": ["b.ts", "d.ts"],
    "b.ts": ["c.ts"],
    "c.ts": ["a.ts"],
    "d.ts": ["e.ts"],
    "e.ts": ["d.ts"],
    "f.ts": ["f.ts"],
    "g.ts": ["a.ts"],
  }));
  assert.deepEqual(cycles, [["a.ts", "b.ts", "c.ts"], ["d.ts", "e.ts"], ["f.ts"]]);
});

test("findCycles() finds nothing in files that import in one direction", () => {
  const shared = graph({ "a.ts": ["b.ts", "c.ts"], "b.ts": ["d.ts"], "c.ts": ["d.ts"] });
  assert.deepEqual(findCycles(shared), []);
});

test("readImports() reads imports of values and of types, but not dynamic ones", async () => {
  const root = await mkdtemp(join(tmpdir(), "sluice-layout-"));
  try {
    const write = (file: string, text: string) => writeFile(join(root, file), text);
    await write("deno.json", "{}");
    await write("a.ts", 'import type { B } from "./b.ts";\nexport type A = B;\n');
    await write("b.ts", 'import { c } from "./c.ts";\nexport type B = typeof c;\n');
    await write("c.ts", 'export const c = () => import("./a.ts");\n');
    const imports = await readImports(root, ["a.ts", "b.ts", "c.ts"]);
    assert.deepEqual([...imports].sort(), [
      ["a.ts", new Set(["b.ts"])],
      ["b.ts", new Set(["c.ts"])],
      ["c.ts", new Set()],
    ]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

test("checkTests() names a helper among the tests", () => {
  const files = ["tests/a/b_test.ts", "tests/support/c.ts", "lib/d.ts"];
  assert.deepEqual(checkTests(files), []);
  assert.match(checkTests([...files, "tests/a/helper.ts"]).join(), /^tests\/a\/helper\.ts is not/);
});

test("checkFolders() names a folder with too many files", () => {
  const files = Array.from({ length: MAX_FILES }, (_, n) => `lib/a/${n}.ts`);
  assert.deepEqual(checkFolders([...files, "lib/b/0.ts", "README.md"]), []);
  assert.match(checkFolders([...files, "lib/a/more.ts"]).join(), /^lib\/a\/ has 17 files/);
});

test("checkLengths() names a file of lib/ with too many lines", () => {
  const text = "\n".repeat(MAX_LINES);
  const long = `${text}\n`;
  assert.deepEqual(checkLengths(new Map([["lib/a.ts", text], ["tests/a.ts", long]])), []);
  assert.match(checkLengths(new Map([["lib/a.ts", long]])).join(), /^lib\/a\.ts has 251 lines/);
});

test("checkRooms() names folders without a sentence, and sentences without a folder", () => {
  const files = Object.keys(ROOMS).map((room) => `${room}/file.ts`);
  assert.deepEqual(checkRooms([...files, "README.md", ".github/ci.yml"]), []);
  assert.match(checkRooms([...files, "lib/quiz/quiz.ts"]).join(), /^lib\/quiz\/ has no sentence/);
  assert.match(checkRooms(files.slice(1)).join(), /^$/);
  assert.match(
    checkRooms(files.filter((file) => !file.startsWith("bench/"))).join(),
    /^bench\/ is in tools\/layout\/rooms\.ts, but does not exist$/,
  );
});

test("withFolderTable() replaces the table and nothing else", () => {
  const mark = "<!-- generated: deno run -A tools/layout.ts --write -->\n";
  const page = `# Title\n\n${mark}\nold\n\n<!-- end -->\n\nText.\n`;
  const made = withFolderTable(page);
  assert.equal(made, `# Title\n\n${mark}\n${folderTable()}\n<!-- end -->\n\nText.\n`);
  assert.equal(withFolderTable(made), made);
  assert.throws(() => withFolderTable("# Title\n"), /no place/);
});

test("folderTable() says what a folder may import", () => {
  assert.match(folderTable(), /\| `lib\/core` .*\| `node:\*`, `protocol` +\|/);
  assert.match(folderTable(), /\| `lib\/protocol` .*\| nothing +\|/);
});

test("the repository has no import cycles, and no crowded or undescribed folders", async () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  assert.deepEqual(await checkLayout(root), []);
});
