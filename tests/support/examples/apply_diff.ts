/**
 * Applies a diff without line numbers: lines that start with a space are kept, `-` removes a line and
 * `+` adds one. A line `@@` starts another place.
 *
 * @throws {Error} The old lines do not occur, or occur more than once.
 */
export function applyDiff(text: string, diff: string): string {
  return diff.trimEnd().split(/^@@.*\n/m).filter((hunk) => hunk !== "").reduce(applyHunk, text);
}

function applyHunk(text: string, hunk: string): string {
  const lines = hunk.trimEnd().split("\n");
  const side = (sign: string) =>
    lines.filter((line) => line[0] !== sign).map((line) => `${line.slice(1)}\n`).join("");
  const [before, after] = [side("+"), side("-")];
  const count = countOf(`\n${before}`, `\n${text}`);
  if (count !== 1) throw new Error(`It has these lines ${count} times:\n${before}`);
  return `\n${text}`.replace(`\n${before}`, () => `\n${after}`).slice(1);
}

/** Returns how often a text occurs, including overlaps. */
function countOf(part: string, text: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) count++;
  return count;
}
