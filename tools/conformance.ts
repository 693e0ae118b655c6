/**
 * What `docs/channels.md` says of conformance, checked against the tests that exist:
 * `deno run -A tools/conformance.ts`, and a test of `task test`.
 *
 * @module
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ELSEWHERE } from "../tests/conformance/elsewhere.ts";
import { NO_MEANING } from "./conformance/no_meaning.ts";
import { UPSTREAM_TESTS } from "./conformance/upstream_tests.ts";

const FOLDER = "tests/conformance";
const PAGE = "docs/channels.md";
const MIN_STATED = 110;
const MIN_ORIGINS = 40;
const ID = /"((?:channels|channels_redis|daphne)\/[\w/]+\.py::\w+)"/g;

/** What the tests state. */
export interface Statements {
  /** Upstream's tests, as `file.py::test`. */
  readonly upstream: ReadonlySet<string>;
  /** Rows for which upstream has no test. */
  readonly beyond: ReadonlySet<string>;
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("../", import.meta.url));
  const problems = await checkConformance(root);
  for (const problem of problems) console.error(problem);
  const { upstream, beyond } = await readStatements(root);
  console.log(
    `${upstream.size} of upstream's tests are stated, and ${beyond.size} rows beyond them`,
  );
  if (problems.length > 0) Deno.exit(1);
}

/** Returns what is wrong, a line each. */
export async function checkConformance(root: string): Promise<string[]> {
  const statements = await readStatements(root);
  const page = await readFile(join(root, PAGE), "utf8");
  const origins = await readFile(join(root, "tests/security/origins_test.ts"), "utf8");
  const rules = /const RULES[^]*?\n\];/.exec(origins)?.[0].match(/^ {2}\[/gm)?.length ?? 0;
  return [
    ...checkUpstream(statements),
    ...await checkElsewhere(root),
    ...checkPage(page, statements),
    ...(rules >= MIN_ORIGINS ? [] : [`The table of origins has ${rules} rows`]),
  ];
}

/** Reads which tests state what: those of the folder, and those that it refers to. */
export async function readStatements(root: string): Promise<Statements> {
  const files = (await readdir(join(root, FOLDER))).filter((file) => file.endsWith(".ts"));
  const texts = await Promise.all(files.map((file) => readFile(join(root, FOLDER, file), "utf8")));
  const all = texts.join("\n");
  return {
    upstream: new Set([...all.matchAll(ID)].map(([, id = ""]) => id)),
    beyond: new Set([...all.matchAll(/\bbeyond\(\s*"([^"]+)"/g)].map(([, row = ""]) => row)),
  };
}

/** Every test of upstream is stated, or has a reason why not. */
export function checkUpstream({ upstream }: Statements): string[] {
  const excused = new Set(NO_MEANING.flatMap(([, tests]) => tests));
  const known = Object.entries(UPSTREAM_TESTS).flatMap(([file, tests]) =>
    tests.map((name) => `${file}::${name}`)
  );
  const problems = known.filter((id) => !upstream.has(id) && !excused.has(id)).map((id) =>
    `${id} is neither stated nor excused`
  );
  for (const id of [...upstream, ...excused]) {
    if (!known.includes(id)) problems.push(`${id} is no test of upstream`);
  }
  for (const id of excused) if (upstream.has(id)) problems.push(`${id} is stated and excused`);
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
    if (!text.includes(sentence)) problems.push(`${id}: there is no "${sentence}" in ${file}`);
  }
  return problems;
}

/** Every row of the page's tables names tests that exist, and every row beyond upstream is there. */
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
    for (const row of marks) if (!beyond.has(row)) problems.push(`${PAGE}: no test beyond: ${row}`);
    if (names.length + marks.length === 0 && !links && here !== "–") {
      problems.push(`${PAGE}: the row ${channels} names no test`);
    }
  }
  for (const row of beyond) if (!seen.has(row)) problems.push(`${PAGE}: "${row}" is missing`);
  const said = /(\d+) of their (\d+) tests/.exec(page);
  const total = Object.values(UPSTREAM_TESTS).flat().length;
  if (said?.[1] !== String(upstream.size) || said[2] !== String(total)) {
    problems.push(`${PAGE}: it should say "${upstream.size} of their ${total} tests"`);
  }
  return problems;
}

/** The cells of a table's row; none for its head and for anything else. */
function cellsOf(line: string): string[] {
  if (!line.startsWith("| ") || /^\| (?:-+|Channels) +\|/.test(line)) return [];
  return line.slice(1, line.lastIndexOf("|")).split(/(?<!\\)\|/).map((cell) => cell.trim());
}
