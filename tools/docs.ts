/**
 * What the documentation promises, checked: `deno run -A tools/docs.ts`, and a test of `task test`.
 * That the examples in it run is the business of `deno test --doc`; that its transcripts are what
 * one sees, of `tests/examples`.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { checkBlocks, checkCommands, checkTranscripts } from "./docs/check_code.ts";

const README_LINES = 150;
const COMMANDS_BY_LINE = 15;
const COMMANDS = ["npx -y deno@2.9.6 task start", "npx -y deno@2.9.6 task test"];
const SKIPPED = /(?:^|\/)(?:\.git|node_modules|_fresh|\.data)(?:\/|$)|\.log$|deno\.lock$/;
const BINARY = /\.(?:png|jpe?g|gif|ico|webp|avif|woff2?|wasm|sqlite3.*)$/;

/** Paths of one machine, and hosts that packages come from. In parts, as this file is read too. */
const TRACES = [
  new RegExp(`(?<![\\w.@/-])/(?:${["work", "root", "home", "Users"].join("|")})/\\w`),
  new RegExp(["registry\\.npm", "js|deb\\.deb", "ian\\.org"].join("")),
];

if (import.meta.main) {
  const problems = await checkDocs(fileURLToPath(new URL("../", import.meta.url)));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) Deno.exit(1);
}

/** Returns what is wrong, a line each, with its place: `docs/protocol.md:12: …`. */
export async function checkDocs(root: string): Promise<string[]> {
  const files = await listFiles(root);
  const tasks = await readTasks(root);
  const problems = files.includes("README.md") ? [] : ["README.md: there is none"];
  for (const file of files) {
    const text = await readFile(join(root, file), "utf8");
    if (file === "README.md") problems.push(...checkReadme(text));
    if (file.endsWith(".md")) {
      problems.push(
        ...checkLinks(file, text, (path) => existsSync(join(root, path))),
        ...checkBlocks(file, text),
        ...checkTranscripts(file, text),
      );
    }
    if (file.endsWith(".md") || file.startsWith("examples/")) {
      problems.push(...checkCommands(file, text, { tasks, root }));
    }
    problems.push(...checkTraces(file, text));
  }
  return problems;
}

/** The README is short, and begins with how to start and how to test. */
export function checkReadme(text: string): string[] {
  const lines = text.trimEnd().split("\n");
  const top = lines.slice(0, COMMANDS_BY_LINE).join("\n");
  const missing = COMMANDS.filter((command) => !top.includes(command));
  const problems = missing.map((command) =>
    `README.md: "${command}" is not in its first ${COMMANDS_BY_LINE} lines`
  );
  if (lines.length > README_LINES) {
    problems.push(`README.md: it has ${lines.length} lines, ${README_LINES} at most`);
  }
  return problems;
}

/** Every link to a file of the repository leads to one. */
export function checkLinks(
  file: string,
  text: string,
  exists: (path: string) => boolean,
): string[] {
  return [...withoutCode(text).matchAll(/\]\(<?([^)\s>]+)|^\[[^\]]+\]:\s*<?([^\s>]+)/gm)]
    .map((match) => ({ index: match.index, target: match[1] ?? match[2] ?? "" }))
    .filter(({ target }) => !/^(?:[a-z][a-z+.-]*:|#|\/\/)/i.test(target))
    .filter(({ target }) => !exists(join(dirname(file), decodeURI(target.replace(/[#?].*$/, "")))))
    .map(({ index, target }) => `${file}:${lineAt(text, index)}: there is no ${target}`);
}

/** Nothing names a path of the machine it was written on, or a host that packages come from. */
export function checkTraces(file: string, text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    const found = TRACES.map((trace) => trace.exec(line)?.[0]).find(Boolean);
    return found ? [`${file}:${index + 1}: it names ${found}`] : [];
  });
}

async function readTasks(root: string): Promise<ReadonlySet<string>> {
  const text = await readFile(join(root, "deno.json"), "utf8").catch(() => "{}");
  return new Set(Object.keys((JSON.parse(text) as { tasks?: object }).tasks ?? {}));
}

/** Blanks code, which may look like links, and keeps where everything else is. */
function withoutCode(text: string): string {
  return text.replaceAll(
    /^( *)(`{3,}|~{3,})[^]*?^\1\2|`[^`\n]+`/gm,
    (code) => code.replaceAll(/[^\n]/g, " "),
  );
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

async function listFiles(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !SKIPPED.test(file) && !BINARY.test(file))
    .sort();
}
