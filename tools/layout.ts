/**
 * Checks the layout of the repository: no import cycles, no crowded folders, no long files in `lib/`, no
 * helpers among the tests, a sentence on every folder, and the table of folders in `ARCHITECTURE.md`. Run it with
 * `deno run -A tools/layout.ts`; `--write` makes the table anew.
 *
 * @module
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { listFiles } from "./docs/list_files.ts";
import { checkRooms, withFolderTable } from "./layout/folder_table.ts";
import { findCycles, readImports } from "./layout/import_cycles.ts";
import { checkFolders, checkLengths, checkTests } from "./layout/sizes.ts";

const PAGE = "ARCHITECTURE.md";
const SOURCE = /\.tsx?$/;

if (import.meta.main) {
  const root = fileURLToPath(new URL("../", import.meta.url));
  if (process.argv.includes("--write")) await writeTable(root);
  const problems = await checkLayout(root);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exit(1);
}

/** Returns the problems of the layout, one line each. */
export async function checkLayout(root: string): Promise<string[]> {
  const files = await listFiles(root);
  const sources = files.filter((file) => SOURCE.test(file));
  const texts = new Map(
    await Promise.all(
      sources.map(async (file) => [file, await readFile(join(root, file), "utf8")] as const),
    ),
  );
  const page = await readFile(join(root, PAGE), "utf8");
  const cycles = findCycles(await readImports(root, sources));
  return [
    ...cycles.map((cycle) => `These files import each other: ${cycle.join(", ")}`),
    ...checkFolders(files),
    ...checkTests(files),
    ...checkLengths(texts),
    ...checkRooms(files),
    ...withFolderTable(page) === page
      ? []
      : [`The table of folders in ${PAGE} is out of date: run deno run -A tools/layout.ts --write`],
  ];
}

async function writeTable(root: string): Promise<void> {
  const page = join(root, PAGE);
  await writeFile(page, withFolderTable(await readFile(page, "utf8")));
}
