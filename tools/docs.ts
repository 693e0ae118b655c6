/**
 * Checks the documentation: links, commands, code blocks and traces of the author's machine. Run it
 * with `deno run -A tools/docs.ts`; `deno task test` includes it. `deno test --doc` runs the examples,
 * and `tests/examples` runs the transcripts.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkBlocks, checkCommands, checkTranscripts } from "./docs/check_code.ts";
import { readFences } from "./docs/fences.ts";
import { listFiles } from "./docs/list_files.ts";

const README_LINES = 150;
const COMMANDS_BY_LINE = 15;

/** Longest program at the top of the README, in lines of code. */
const PROGRAM_LINES = 15;

const COMMANDS = ["npx -y deno@2.9.6 task start", "npx -y deno@2.9.6 task test"];

/** Absolute paths, and hosts of package registries. Split, because this file is checked too. */
const TRACES = [
  new RegExp(`(?<![\\w.@/-])/(?:${["work", "root", "home", "Users"].join("|")})/\\w`),
  new RegExp(["registry\\.npm", "js|deb\\.deb", "ian\\.org"].join("")),
];

if (import.meta.main) {
  const problems = await checkDocs(fileURLToPath(new URL("../", import.meta.url)));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) Deno.exit(1);
}

/** Returns the problems, one line each, with file and line: `docs/protocol.md:12: …`. */
export async function checkDocs(root: string): Promise<string[]> {
  const files = await listFiles(root);
  const tasks = await readTasks(root);
  const problems = files.includes("README.md") ? [] : ["README.md: missing"];
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

/** Checks that the README is short, starts with the commands, and contains a short program that runs. */
export function checkReadme(text: string): string[] {
  const lines = text.trimEnd().split("\n");
  const top = lines.slice(0, COMMANDS_BY_LINE).join("\n");
  const missing = COMMANDS.filter((command) => !top.includes(command));
  const problems = missing.map((command) =>
    `README.md: "${command}" is missing from the first ${COMMANDS_BY_LINE} lines`
  );
  if (lines.length > README_LINES) {
    problems.push(`README.md: ${lines.length} lines, at most ${README_LINES} allowed`);
  }
  return [...problems, ...checkProgram(text)];
}

/** Checks the first TypeScript block of the README: a whole program in a few lines, which is run. */
function checkProgram(text: string): string[] {
  const program = readFences(text).find(({ language }) => language === "ts");
  if (program === undefined) return ["README.md: no program"];
  const size = program.text.split("\n").filter((line) => line.trim() !== "").length;
  return size <= PROGRAM_LINES ? [] : [
    `README.md:${program.line}: the program has ${size} lines, at most ${PROGRAM_LINES} allowed`,
  ];
}

/** Checks that each relative link leads to an existing file. */
export function checkLinks(
  file: string,
  text: string,
  exists: (path: string) => boolean,
): string[] {
  return [...withoutCode(text).matchAll(/\]\(<?([^)\s>]+)|^\[[^\]]+\]:\s*<?([^\s>]+)/gm)]
    .map((match) => ({ index: match.index, target: match[1] ?? match[2] ?? "" }))
    .filter(({ target }) => !/^(?:[a-z][a-z+.-]*:|#|\/\/)/i.test(target))
    .filter(({ target }) => !exists(join(dirname(file), decodeURI(target.replace(/[#?].*$/, "")))))
    .map(({ index, target }) => `${file}:${lineAt(text, index)}: no such file: ${target}`);
}

/** Checks that a file names no absolute path of a machine and no host of a package registry. */
export function checkTraces(file: string, text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    const found = TRACES.map((trace) => trace.exec(line)?.[0]).find(Boolean);
    return found ? [`${file}:${index + 1}: contains ${found}`] : [];
  });
}

async function readTasks(root: string): Promise<ReadonlySet<string>> {
  const text = await readFile(join(root, "deno.json"), "utf8").catch(() => "{}");
  return new Set(Object.keys((JSON.parse(text) as { tasks?: object }).tasks ?? {}));
}

/** Replaces code, which may look like links, with spaces, so that other text keeps its position. */
function withoutCode(text: string): string {
  return text.replaceAll(
    /^( *)(`{3,}|~{3,})[^]*?^\1\2|`[^`\n]+`/gm,
    (code) => code.replaceAll(/[^\n]/g, " "),
  );
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
