/**
 * Finds phrases in comments, docs and test titles that read as if translated. Run it with
 * `deno run -A tools/prose.ts [folder…]`; a test in `tests/tools` limits their number.
 *
 * A mark is a hint, not a verdict: a marked line may be good English.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { listFiles } from "./docs/list_files.ts";

/** The marked phrases, each with a hint for a better one. */
export const MARKS: readonly (readonly [phrase: RegExp, hint: string])[] = [
  [/\bwhoever\b/i, 'name the subject, such as "a client"'],
  [
    /(?<!(?:user|client|admin|owner|peer|person|people|those|anyone|everyone) )\bwho (?:has|is|was|does|asks|comes|sends|reads|looks|wants|goes|cannot)\b/i,
    'name the subject, such as "a user"',
  ],
  [/\b(?:nobody|somebody)\b/i, 'say "no client", "a user", or use the passive'],
  [
    /\bwhat (?:waits|waited|comes|came|is due|was (?:missed|sent|said|tried)|goes|stands|nobody)\b/i,
    "use a noun: messages, reads, frames",
  ],
  [/\bwhere (?:it|that|one|none|nobody|there (?:is|are))\b/i, 'say "if" or "when"'],
  [/\bit is (?:looked|waited|asked|told)\b/i, "use an active verb with a subject"],
  [/(?<!there )\b(?:is|are|can be) none\b/i, 'say "is not a …", "is invalid" or "there are no …"'],
  [/\b(?:is|are|was|were) told\b/i, 'say "is notified", "is configured" or "receives"'],
  [/\b(?:is|are|was) over\b(?! \w)/i, 'say "ends" or "has ended"'],
  [/\bon (?:its|their) way\b/i, 'say "in transit" or "pending"'],
  [/\b(?:is|are|was|were|be) let in\b/i, 'say "is admitted" or "is accepted"'],
  [/\blets? go of\b/i, 'say "releases" or "closes"'],
];

/** A line of prose with a marked phrase. */
export interface MarkedLine {
  /** Path and line number: `docs/protocol.md:12`. */
  readonly place: string;
  readonly text: string;
  readonly hint: string;
}

/** The number of prose lines, and those with a marked phrase. */
export interface Prose {
  readonly lines: number;
  readonly marked: readonly MarkedLine[];
}

if (import.meta.main) {
  const folders = process.argv.slice(2);
  const { lines, marked } = await readProse(
    fileURLToPath(new URL("../", import.meta.url)),
    folders,
  );
  for (const { place, text, hint } of marked) console.log(`${place}: ${text}\n    ${hint}`);
  console.log(`${marked.length} of ${lines} lines marked`);
}

/** Reads the prose of all files, or of the files whose path starts with one of `folders`. */
export async function readProse(root: string, folders: readonly string[] = []): Promise<Prose> {
  const files = (await listFiles(root))
    .filter((file) => /\.(?:tsx?|md|c|h)$/.test(file))
    .filter((file) => folders.length === 0 || folders.some((folder) => file.startsWith(folder)));
  let lines = 0;
  const marked: MarkedLine[] = [];
  for (const file of files) {
    const prose = proseOf(file, await readFile(join(root, file), "utf8"));
    lines += prose.length;
    for (const [line, text] of prose) {
      const mark = MARKS.find(([phrase]) => phrase.test(text));
      if (mark) marked.push({ place: `${file}:${line}`, text, hint: mark[1] });
    }
  }
  return { lines, marked };
}

/** Returns the lines of comments, docs and test titles in a file, with their numbers. */
export function proseOf(file: string, text: string): [line: number, text: string][] {
  const isMarkdown = file.endsWith(".md");
  let isCode = false;
  return text.split("\n")
    .map((line, index): [number, string] => [index + 1, line.trim()])
    .filter(([, line]) => {
      if (!isMarkdown) return /^(?:\/\/|\/\*|\*|(?:await t\.)?(?:test|it|describe)\()/.test(line);
      const isFence = /^(?:`{3,}|~{3,})/.test(line);
      if (isFence) isCode = !isCode;
      return !isFence && !isCode && line !== "";
    });
}
