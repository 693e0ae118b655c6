/**
 * Checks the conformance tables in `docs/channels.md` against the existing tests. Run it with
 * `deno run -A tests/support/conformance/upstream/check_upstream.ts`; `deno task test` includes it.
 *
 * @module
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ELSEWHERE } from "./elsewhere.ts";
import { NO_MEANING } from "./no_meaning.ts";
import { UPSTREAM_TESTS } from "./upstream_tests.ts";

const FOLDER = "tests/conformance";
const ELSEWHERE_FILE = "tests/support/conformance/upstream/elsewhere.ts";
const PAGE = "docs/channels.md";
const MIN_STATED = 110;
const MIN_ORIGINS = 40;
const ID = /"((?:channels|channels_redis|daphne)\/[\w/]+\.py::\w+)"/g;

/** The behaviour that the tests state. */
export interface Statements {
  /** Upstream tests, as `file.py::test`. */
  readonly upstream: ReadonlySet<string>;
  /** Rows without an upstream test. */
  readonly beyond: ReadonlySet<string>;
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("../../../../", import.meta.url));
  const problems = await checkConformance(root);
  for (const problem of problems) console.error(problem);
  const { upstream, beyond } = await readStatements(root);
  console.log(
    `${upstream.size} upstream tests are stated, and ${beyond.size} further rows`,
  );
  if (problems.length > 0) Deno.exit(1);
}

/** Returns the problems, one line each. */
export async function checkConformance(root: string): Promise<string[]> {
  const statements = await readStatements(root);
  const page = await readFile(join(root, PAGE), "utf8");
  const origins = await readFile(join(root, "tests/security/origins_test.ts"), "utf8");
  const rules = /const RULES[^]*?\n\];/.exec(origins)?.[0].match(/^ {2}\[/gm)?.length ?? 0;
  return [
    ...checkUpstream(statements),
    ...await checkElsewhere(root),
    ...checkPage(page, statements),
    ...(rules >= MIN_ORIGINS
      ? []
      : [`The table of origins has only ${rules} of ${MIN_ORIGINS} rows`]),
  ];
}

/** Reads which upstream tests and rows the conformance tests state. */
export async function readStatements(root: string): Promise<Statements> {
  const files = (await readdir(join(root, FOLDER))).filter((file) => file.endsWith(".ts"));
  const paths = [...files.map((file) => join(root, FOLDER, file)), join(root, ELSEWHERE_FILE)];
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  const all = texts.join("\n");
  return {
    upstream: new Set([...all.matchAll(ID)].map(([, id = ""]) => id)),
    beyond: new Set([...all.matchAll(/\bbeyond\(\s*"([^"]+)"/g)].map(([, row = ""]) => row)),
  };
}

/** Checks that each upstream test is stated or excused. */
export function checkUpstream({ upstream }: Statements): string[] {
  const excused = new Set(NO_MEANING.flatMap(([, tests]) => tests));
  const known = Object.entries(UPSTREAM_TESTS).flatMap(([file, tests]) =>
    tests.map((name) => `${file}::${name}`)
  );
  const problems = known.filter((id) => !upstream.has(id) && !excused.has(id)).map((id) =>
    `${id} is neither stated nor excused`
  );
  for (const id of [...upstream, ...excused]) {
    if (!known.includes(id)) problems.push(`${id} is not an upstream test`);
  }
  for (const id of excused) if (upstream.has(id)) problems.push(`${id} is both stated and excused`);
  if (upstream.size < MIN_STATED) {
    problems.push(`Only ${upstream.size} of ${MIN_STATED} are stated`);
  }
  return problems;
}

async function checkElsewhere(root: string): Promise<string[]> {
  const problems: string[] = [];
  for (const [id, place] of Object.entries(ELSEWHERE)) {
    const [file, sentence] = place!;
    const text = await readFile(join(root, file), "utf8").catch(() => "");
    if (!text.includes(sentence)) problems.push(`${id}: ${file} does not contain "${sentence}"`);
  }
  return problems;
}

/** Checks that each row of the page names existing tests, and that each further row is listed. */
export function checkPage(page: string, { upstream, beyond }: Statements): string[] {
  const problems: string[] = [];
  const named = new Set([...upstream].map((id) => id.slice(id.indexOf("::") + 2)));
  const rows = page.split("\n").map(cellsOf).filter((cells) => cells.length === 4);
  const seen = new Set<string>();
  for (const [channels = "", here = "", , tests = ""] of rows) {
    const names = [...tests.matchAll(/`(test\w+)`/g)].map(([, name = ""]) => name);
    const marks = [...tests.matchAll(/\*\*([^*]+)\*\*/g)].map(([, row = ""]) => row);
    const links = /\]\(/.test(tests);
    marks.forEach((row) => seen.add(row));
    for (const name of names) {
      if (!named.has(name)) problems.push(`${PAGE}: no test states ${name}`);
    }
    for (const row of marks) {
      if (!beyond.has(row)) problems.push(`${PAGE}: no further test: ${row}`);
    }
    if (names.length + marks.length === 0 && !links && here !== "–") {
      problems.push(`${PAGE}: the row ${channels} names no test`);
    }
  }
  for (const row of beyond) if (!seen.has(row)) problems.push(`${PAGE}: "${row}" is missing`);
  const said = /(\d+) of their (\d+) tests/.exec(page);
  const total = Object.values(UPSTREAM_TESTS).flat().length;
  if (said?.[1] !== String(upstream.size) || said[2] !== String(total)) {
    problems.push(`${PAGE}: expected the text "${upstream.size} of their ${total} tests"`);
  }
  return problems;
}

/** Returns the cells of a table row, and nothing for a table head or another line. */
function cellsOf(line: string): string[] {
  if (!line.startsWith("| ") || /^\| (?:-+|Channels) +\|/.test(line)) return [];
  return line.slice(1, line.lastIndexOf("|")).split(/(?<!\\)\|/).map((cell) => cell.trim());
}
