import { existsSync } from "node:fs";
import { join } from "node:path";
import { readFences } from "./fences.ts";

const TYPESCRIPT = /^(?:ts|tsx|typescript)$/;
const TASK = /\bdeno(?:@[\d.]+)? task (?:--\S+ )*([a-z][\w:-]*)/g;
const SCRIPT = /\bdeno (?:run|serve|check)(?: -\S+)* ([\w./-]+\.[jt]sx?)\b/g;

/**
 * Checks that each TypeScript block in `README.md` and `docs/` is compiled: by `deno test --doc`, or by
 * `tests/examples` if it is a file of a replayed page (`file=…`).
 */
export function checkBlocks(file: string, text: string): string[] {
  if (file !== "README.md" && !file.startsWith("docs/")) return [];
  return readFences(text)
    .filter(({ language }) => TYPESCRIPT.test(language))
    .filter(({ attributes }) => attributes.has("ignore") !== attributes.has("file"))
    .map(({ line, attributes }) =>
      attributes.has("file")
        ? `${file}:${line}: a block with file=… is not a complete program: add "ignore"`
        : `${file}:${line}: this block is not compiled: remove "ignore", or add file=…`
    );
}

/** Checks that each named task is in `deno.json`, and that each named script exists. */
export function checkCommands(
  file: string,
  text: string,
  { tasks, root }: { tasks: ReadonlySet<string>; root: string },
): string[] {
  const made = new Set(readFences(text).map(({ attributes }) => attributes.get("file")));
  const at = (index: number) => `${file}:${text.slice(0, index).split("\n").length}`;
  const noTask = [...text.matchAll(TASK)]
    .filter(([, task = ""]) => !tasks.has(task))
    .map(({ index, 1: task }) => `${at(index)}: no such task: ${task}`);
  const noScript = [...text.matchAll(SCRIPT)]
    .filter(([, path = ""]) => !made.has(path) && !existsSync(join(root, path)))
    .map(({ index, 1: path }) => `${at(index)}: no such file: ${path}`);
  return [...noTask, ...noScript];
}

/** Checks that each `curl` is in a `console` block, which is run, or in `sh ignore`. */
export function checkTranscripts(file: string, text: string): string[] {
  if (!file.startsWith("docs/")) return [];
  return readFences(text)
    .filter(({ text, language }) => language !== "console" && /^\s*(?:\$ )?curl /m.test(text))
    .filter(({ attributes }) => !attributes.has("ignore"))
    .map(({ line }) => `${file}:${line}: this curl is not run: use a "console" block`);
}
