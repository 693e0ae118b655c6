/** A fenced code block in a Markdown file. */
export interface Fence {
  /** The first word after the fence: `ts`, `console`, … */
  readonly language: string;
  /** The other words: `ignore` is true, `file=a.ts` has a value. */
  readonly attributes: ReadonlyMap<string, string | true>;
  readonly text: string;
  /** The line number of the opening fence, starting at 1. */
  readonly line: number;
}

const FENCE = /^( *)(`{3,}|~{3,})([^\n`]*)\n([^]*?)^\1\2[ \t]*$/gm;

/** Returns the fenced code blocks of a Markdown text, in order. */
export function readFences(markdown: string): Fence[] {
  return [...markdown.matchAll(FENCE)].map(({ index, 1: indent, 3: info, 4: body }) => {
    const [language = "", ...words] = (info ?? "").trim().split(/\s+/);
    const attributes = new Map(words.map((word): [string, string | true] => {
      const at = word.indexOf("=");
      return at < 0 ? [word, true] : [word.slice(0, at), word.slice(at + 1)];
    }));
    const text = (body ?? "").replaceAll(new RegExp(`^${indent}`, "gm"), "");
    return { language, attributes, text, line: markdown.slice(0, index).split("\n").length };
  });
}
