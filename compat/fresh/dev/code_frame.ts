/**
 * Returns the lines around a position in a source file, with a marker under it.
 *
 * @param line counted from 1
 * @param column counted from 1
 */
export function codeFrame(source: string, line: number, column: number): string | undefined {
  const lines = source.split("\n");
  if (line < 1 || line > lines.length) return;
  const first = Math.max(1, line - 2);
  const last = Math.min(lines.length, line + 3);
  const width = String(last).length;
  const frame: string[] = [];
  for (let number = first; number <= last; number++) {
    const text = lines[number - 1];
    const pointer = number === line ? ">" : " ";
    frame.push(`${pointer} ${String(number).padStart(width)} | ${text}`.trimEnd());
    if (number !== line) continue;
    const indent = text.slice(0, column - 1).replaceAll(/[^\t]/g, " ");
    frame.push(`  ${" ".repeat(width)} | ${indent}^`);
  }
  return frame.join("\n");
}
