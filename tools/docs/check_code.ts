import { existsSync } from "node:fs";
import { join } from "node:path";
import { readFences } from "./fences.ts";

const TYPESCRIPT = /^(?:ts|tsx|typescript)$/;
const TASK = /\bdeno(?:@[\d.]+)? task (?:--\S+ )*([a-z][\w:-]*)/g;
const SCRIPT = /\bdeno (?:run|serve|check)(?: -\S+)* ([\w./-]+\.[jt]sx?)\b/g;

/**
 * Every block of TypeScript under `docs/` is compiled: by `deno test --doc`, or, where it is a file
 * of a page that is replayed (`file=…`), by `tests/examples`.
 */
export function checkBlocks(file: string, text: string): string[] {
  if (!file.startsWith("docs/")) return [];
  return readFences(text)
    .filter(({ language }) => TYPESCRIPT.test(language))
    .filter(({ attributes }) => attributes.has("ignore") !== attributes.has("file"))
    .map(({ line, attributes }) =>
      attributes.has("file")
        ? `${file}:${line}: a block with file=… is no program by itself: add "ignore"`
        : `${file}:${line}: nothing compiles this block: take out "ignore", or say file=…`
    );
}

/** Every task that is named is one of `deno.json`, and every script that is run is there. */
export function checkCommands(
  file: string,
  text: string,
  { tasks, root }: { tasks: ReadonlySet<string>; root: string },
): string[] {
  const made = new Set(readFences(text).map(({ attributes }) => attributes.get("file")));
  const at = (index: number) => `${file}:${text.slice(0, index).split("\n").length}`;
  const noTask = [...text.matchAll(TASK)]
    .filter(([, task = ""]) => !tasks.has(task))
    .map(({ index, 1: task }) => `${at(index)}: there is no task ${task}`);
  const noScript = [...text.matchAll(SCRIPT)]
    .filter(([, path = ""]) => !made.has(path) && !existsSync(join(root, path)))
    .map(({ index, 1: path }) => `${at(index)}: there is no ${path}`);
  return [...noTask, ...noScript];
}

/** Every `curl` is in a block of the language `console`, which is run, or `sh ignore`. */
export function checkTranscripts(file: string, text: string): string[] {
  if (!file.startsWith("docs/")) return [];
  return readFences(text)
    .filter(({ text, language }) => language !== "console" && /^\s*(?:\$ )?curl /m.test(text))
    .filter(({ attributes }) => !attributes.has("ignore"))
    .map(({ line }) => `${file}:${line}: nothing runs this curl: make it a "console" block`);
}
