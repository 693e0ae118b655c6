import type { Machine, QuestionResult } from "./result.ts";
import { plotPath } from "./plot_path.ts";
import { remarks, table } from "./table.ts";

/** Formats results as a Markdown page: questions, machine, commands, tables and plots. */
export function page(results: readonly QuestionResult[]): string {
  if (results.length === 0) return "Nothing has been measured yet.\n";
  return results.map(section).join("\n");
}

function section(result: QuestionResult): string {
  const { name, title, about, contests, rounds, seconds, revision, measuredAt } = result;
  const effort = `${rounds} rounds of ${seconds} s each, ${
    measuredAt.slice(0, 10)
  }, at ${revision}`;
  return [
    `## ${title}`,
    about,
    `\`deno task bench ${name} --rounds ${rounds} --seconds ${seconds}\`: ${effort}; ` +
    `${describe(result.machine)}.`,
    ...contests.flatMap((contest) => [
      `### ${contest.title}`,
      `![${contest.title}](${plotPath(name, contest.id)})`,
      table(contest),
      remarks(contest).map((remark) => `- ${remark}`).join("\n"),
    ]),
  ].filter((part) => part !== "").join("\n\n") + "\n";
}

function describe({ processor, processors, memory, system, pinning, versions }: Machine): string {
  const names: Record<string, string> = { deno: "Deno", node: "Node", bun: "Bun", hono: "Hono" };
  const all = Object.entries({ ...versions, v8: undefined }).filter(([, version]) => version)
    .map(([name, version]) =>
      `${names[name] ?? (name === "socketIo" ? "Socket.IO" : name)} ${version}`
    );
  return `${processor}, ${processors} processors, ${memory} GiB, ${system}; ${pinning}; ${
    all.join(", ")
  }`;
}
