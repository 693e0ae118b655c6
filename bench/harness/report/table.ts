import type { ContestResult } from "./result.ts";
import { round, type Spread } from "./statistics.ts";
import { judge, type Row, summarise, type Verdict } from "./summary.ts";

/** Above this value the load counts as the bottleneck. */
const BUSY = 0.95;

/**
 * Formats a contest as a Markdown table that is also readable in a terminal, ratios first. Empty if
 * no contestant was measured.
 */
export function table(contest: ContestResult): string {
  const rows = summarise(contest);
  if (rows.length === 0) return "";
  const columns = columnsOf(contest).filter(({ cell }) => rows.some((row) => cell(row) !== ""));
  const cells = [
    columns.map(({ head }) => head),
    ...rows.map((row) => columns.map(({ cell }) => cell(row))),
  ];
  const widths = columns.map((_, at) => Math.max(3, ...cells.map((line) => line[at]!.length)));
  const pad = (line: readonly string[]) =>
    `| ${
      line.map((text, at) => at === 0 ? text.padEnd(widths[at]!) : text.padStart(widths[at]!))
        .join(" | ")
    } |`;
  const rule = `| ${
    widths.map((width, at) => at === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)
      .join(" | ")
  } |`;
  return [pad(cells[0]!), rule, ...cells.slice(1).map(pad)].join("\n");
}

/** Returns one line for each goal, bottleneck and absent contestant. */
export function remarks(contest: ContestResult): string[] {
  const busy = summarise(contest).filter((row) => (row.busy ?? 0) > BUSY);
  return [
    ...judge(contest).map((verdict) => describe(verdict, contest)),
    ...busy.map(({ name }) => `The load was the bottleneck of ${name}: it could do more.`),
    ...contest.absent.map(({ name, reason }) => `Left out: ${name}, as ${reason}.`),
  ];
}

function columnsOf({ baseline, unit }: ContestResult) {
  return [
    { head: "peer", cell: ({ name }: Row) => name },
    { head: `× ${baseline}`, cell: ({ ratio }: Row) => range(ratio, (value) => value.toFixed(2)) },
    { head: unit, cell: ({ value }: Row) => range(value, round) },
    { head: "p50 ms", cell: ({ p50 }: Row) => p50 === undefined ? "" : round(p50) },
    { head: "p99 ms", cell: ({ p99 }: Row) => range(p99, round) },
    { head: "CPU-s per million", cell: ({ cpu }: Row) => cpu === undefined ? "" : round(cpu) },
    { head: "load busy", cell: ({ busy }: Row) => busy === undefined ? "" : busy.toFixed(2) },
  ];
}

function range(spread: Spread | undefined, format: (value: number) => string): string {
  if (spread === undefined) return "";
  const [middle, min, max] = [spread.median, spread.min, spread.max].map((value) => format(value));
  return min === max ? middle! : `${middle} (${min}–${max})`;
}

function describe(
  { target, reached, isReached }: Verdict,
  { unit, better }: ContestResult,
): string {
  const mark = isReached ? "reached" : "MISSED";
  if ("limit" in target) {
    return `${mark}: ${target.of} ${round(reached)} ${unit}; target ${round(target.limit)} or less`;
  }
  const { of, against, ratio, figure = "value" } = target;
  const bound = figure === "cpu" || better === "less" ? "or less" : "or more";
  const what = figure === "cpu" ? " in processor time" : "";
  return `${mark}: ${of} ${reached.toFixed(2)} × ${against}${what}; target ${ratio} ${bound}`;
}
