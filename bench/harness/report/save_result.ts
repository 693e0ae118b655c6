import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { chart } from "./chart.ts";
import { page } from "./page.ts";
import { plotPath } from "./plot_path.ts";
import type { QuestionResult } from "./result.ts";

const BEGIN = "<!-- results: written by `deno task bench --save` -->";
const END = "<!-- end of the results -->";

/** Saves a result, and rewrites its plots and the page. */
export async function saveResult(root: string, result: QuestionResult): Promise<void> {
  const file = `${root}bench/results/${result.name}.json`;
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(file, JSON.stringify(result, null, 2) + "\n");
  await format([file]);
  await writePage(root);
}

/** Writes `docs/benchmarks.md`, between its two marks, and the plots from all saved results. */
export async function writePage(root: string): Promise<void> {
  const folder = `${root}bench/results`;
  const results = existsSync(folder) ? await readResults(folder) : [];
  const file = `${root}docs/benchmarks.md`;
  const text = await Deno.readTextFile(file);
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${file} has lost its marks`);
  const body = `${BEGIN}\n\n${page(results)}\n`;
  await Deno.writeTextFile(file, text.slice(0, begin) + body + text.slice(end));
  const plots = results.flatMap(({ name, contests }) =>
    contests.map((contest) =>
      [`${root}docs/${plotPath(name, contest.id)}`, chart(contest)] as const
    )
  );
  for (const [path, plot] of plots) {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, plot);
  }
  await format([file, ...plots.map(([path]) => path)]);
}

async function readResults(folder: string): Promise<QuestionResult[]> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  const files = names.filter((name) => name.endsWith(".json")).sort();
  return await Promise.all(
    files.map(async (name) => JSON.parse(await Deno.readTextFile(`${folder}/${name}`))),
  );
}

async function format(files: string[]): Promise<void> {
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", ...files] }).output();
}
