import type { ContestResult } from "./result.ts";
import { round } from "./statistics.ts";
import { type Row, summarise } from "./summary.ts";

const WIDTH = 760;
const LABELS = 150;
const BARS = 400;
const HEAD = 44;
const STEP = 28;
const BAR = 16;

/** Follows the colour scheme of the viewer. */
const STYLE = [
  "text{font:13px system-ui,sans-serif;fill:#24292f}",
  ".title{font-weight:600}",
  ".unit,.range{fill:#57606a}",
  ".bar{fill:#8c959f}",
  ".sluice{fill:#0b7285}",
  ".whisker{stroke:#24292f;stroke-width:1.5}",
  "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.unit,.range{fill:#9198a1}" +
  ".bar{fill:#656c76}.sluice{fill:#3bc9db}.whisker{stroke:#e6edf3}}",
].join("");

/**
 * Draws a contest as a bar chart in SVG: medians as bars from 0, ranges as lines across their ends, and
 * the ratio to the baseline after each bar.
 */
export function chart(contest: ContestResult): string {
  const rows = summarise(contest);
  const height = HEAD + rows.length * STEP + 8;
  const largest = Math.max(...rows.map(({ value }) => value.max));
  const scale = (value: number) => Math.round(value / largest * BARS * 10) / 10;
  const better = contest.better === "more" ? "more is better" : "less is better";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" ` +
    `height="${height}" role="img" aria-label="${escape(contest.title)}">`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="8" y="18">${escape(contest.title)}</text>`,
    `<text class="unit" x="8" y="36">${escape(contest.unit)}, ${better}</text>`,
    ...rows.map((row, at) => bar(row, HEAD + at * STEP, scale)),
    "</svg>\n",
  ].join("\n");
}

function bar({ name, value, ratio }: Row, top: number, scale: (value: number) => number): string {
  const [middle, text] = [top + STEP / 2, top + STEP / 2 + 4.5];
  const [end, min, max] = [value.median, value.min, value.max].map((each) => LABELS + scale(each));
  const kind = name.startsWith("Sluice") ? "bar sluice" : "bar";
  const share = ratio ? ` (× ${ratio.median.toFixed(2)})` : "";
  return [
    `<text x="${LABELS - 8}" y="${text}" text-anchor="end">${escape(name)}</text>`,
    `<rect class="${kind}" x="${LABELS}" y="${middle - BAR / 2}" rx="2" ` +
    `width="${scale(value.median)}" height="${BAR}"/>`,
    `<path class="whisker" d="M${min} ${middle}H${max}M${min} ${middle - 4}v8M${max} ${
      middle - 4
    }v8"/>`,
    `<text x="${Math.max(end!, max!) + 8}" y="${text}">${round(value.median)}` +
    `<tspan class="range">${share}</tspan></text>`,
  ].join("\n");
}

function escape(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replaceAll(/[&<>"]/g, (character) => names[character]!);
}
