import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The files of a test run. */
export interface Selection {
  /** Tests that can run in parallel. */
  readonly tests: readonly string[];
  /** Tests of servers, processes and browsers. They run one at a time, because they measure time. */
  readonly e2e: readonly string[];
  /** Source and Markdown files with examples to run. */
  readonly docs: readonly string[];
}

const EVERYTHING = ["tests", "lib", "docs", "README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"];
const TEST = /_test\.tsx?$/;
const DOCUMENTED = /^(?!tests\/)(?:.*\/)?(?!_)[^/]*(?<!_test)\.(?:tsx?|md)$/;

/**
 * Finds the tests and examples under `paths`, or all of them if no path is given.
 *
 * @throws {Error} A path does not exist.
 */
export async function select(paths: readonly string[]): Promise<Selection> {
  for (const path of paths) {
    if (!existsSync(path)) throw new Error(`No such file or folder: ${path}`);
  }
  const roots = paths.length > 0 ? paths : EVERYTHING.filter((path) => existsSync(path));
  const files = [...new Set((await Promise.all(roots.map(filesUnder))).flat())].sort();
  const tests = files.filter((file) => TEST.test(file));
  const isE2e = (file: string) => file.startsWith("tests/e2e/");
  return {
    tests: tests.filter((file) => !isE2e(file)),
    e2e: tests.filter(isE2e),
    docs: await thatSay(
      /^(?:\s*\*\s)?\s*```(?:ts|tsx)\b/m,
      files.filter((f) => DOCUMENTED.test(f)),
    ),
  };
}

/** Matches tests that need a server, a browser or another process, in their own text or that of their imports. */
const SLOW =
  /\b(?:whyNoBrowser|findRedis|findPostgres|findRuntime|findDurableSuite|Deno\.Command|node:child_process)\b|from "fresh\/dev"/;

/** Returns the tests that need no server, no browser and no other process. */
export async function quickOf({ tests }: Selection): Promise<Selection> {
  const isQuick = async (file: string) =>
    (await thatSay(SLOW, await withImports([file]))).length === 0;
  const quick = await Promise.all(tests.map(isQuick));
  return { tests: tests.filter((_, index) => quick[index]), e2e: [], docs: [] };
}

/** Returns the files whose text matches. */
export async function thatSay(pattern: RegExp, files: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  return files.filter((_, index) => pattern.test(texts[index] ?? ""));
}

/** Returns `files` and all files that they import by relative paths, directly or indirectly. */
export async function withImports(files: readonly string[]): Promise<string[]> {
  const found = new Set(files);
  for (const file of found) {
    const text = existsSync(file) ? await readFile(file, "utf8") : "";
    for (const [, path] of text.matchAll(RELATIVE_IMPORT)) found.add(join(dirname(file), path!));
  }
  return [...found].filter((file) => existsSync(file));
}

const RELATIVE_IMPORT = /^(?:import|export|\})[^"]*"(\.{1,2}\/[^"]+\.tsx?)";$/gm;

async function filesUnder(path: string): Promise<string[]> {
  const tidy = path.replace(/^\.\//, "").replace(/\/$/, "");
  if (!(await stat(tidy)).isDirectory()) return [tidy];
  const entries = await readdir(tidy, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/(?:^|\/)(?:node_modules|_fresh|\.data)\//.test(file));
}
