import { findProgram, run } from "../../tools/provide/programs.ts";
import { type Asked, print, progress, withLab } from "./ask_question.ts";
import type { Lab } from "./lab.ts";
import type { Contest, Contestant } from "./question.ts";
import type { ContestResult } from "./report/result.ts";
import { runContest } from "./run_contest.ts";
import { median, ratios } from "./report/statistics.ts";

/**
 * Runs a question with this tree and another revision in turn, and with the other one twice: the
 * difference between its two measurements is the noise, to which the change is compared.
 *
 * The other revision is checked out into a temporary work tree, with the questions and servers of this
 * tree, so that both do the same.
 */
export async function compareRevisions(
  root: string,
  revision: string,
  { name, question, effort }: Asked,
): Promise<void> {
  console.log(`\n# ${question.title} (${name}): this tree beside ${revision}`);
  await withLab(root, effort, async (lab) => {
    const tree = `${lab.scratch}/tree/`;
    await git(root, "worktree", "add", "--detach", tree, revision);
    try {
      await copyBench(root, tree);
      for (const contest of await pair(lab, tree, question.contests)) {
        const report = (text: string) => progress(contest.title, text);
        const result = await runContest(contest, effort.rounds, report);
        print(result);
        console.log(`- ${describeChange(result)}`);
      }
    } finally {
      await git(root, "worktree", "remove", "--force", tree);
    }
  });
}

/** Describes a change relative to the noise: the largest difference of the other revision to itself. */
export function describeChange(result: ContestResult): string {
  const [before, again, now] = result.contestants.map(({ rounds }) =>
    rounds.map(({ value }) => value)
  );
  if (!before || !again || !now) return "some could not be measured";
  const noise = Math.max(...ratios(again, before).map((ratio) => Math.abs(ratio - 1)));
  const change = median(ratios(now, before)) - 1;
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const isSeen = Math.abs(change) > noise;
  const verdict = isSeen
    ? (change > 0 === (result.better === "more") ? "better" : "worse")
    : "noise";
  return `change ${change < 0 ? "−" : "+"}${percent(Math.abs(change))}, noise ±${
    percent(noise)
  }: ` +
    verdict;
}

/** Returns a contest for each of Sluice's contestants: before, before again, and now. */
async function pair(
  lab: Lab,
  tree: string,
  contests: (lab: Lab) => Promise<Contest[]>,
): Promise<Contest[]> {
  const alone = { ...lab, peers: new Set<string>() };
  const now = await contests(alone);
  const before = await contests({ ...alone, root: tree });
  return now.flatMap((contest, at) =>
    contest.contestants.filter(({ isSluice }) => isSluice).flatMap((current) => {
      const { name } = current;
      const other = before[at]!.contestants.find((contestant) => contestant.name === name);
      return other ? [beside(contest, other, current)] : [];
    })
  );
}

function beside(contest: Contest, other: Contestant, current: Contestant): Contest {
  const { id, title, unit, better } = contest;
  const [before, again, now] = ["before", "before, again", "now"];
  const contestants = [
    { name: before!, measure: () => other.measure() },
    { name: again!, measure: () => other.measure() },
    { name: now!, measure: () => current.measure() },
  ];
  const heading = `${title}: ${current.name}`;
  return { id, title: heading, unit, better, baseline: before!, contestants, absent: [] };
}

/** Replaces the bench of the other revision, which may differ or be missing. */
async function copyBench(root: string, tree: string): Promise<void> {
  await Deno.remove(`${tree}bench`, { recursive: true }).catch(() => {});
  const { success, output } = await run("cp", ["-r", `${root}bench`, `${tree}bench`], {
    timeoutMs: 60_000,
  });
  if (!success) throw new Error(output);
}

async function git(root: string, ...args: string[]): Promise<void> {
  const program = findProgram("git");
  if (program === undefined) throw new Error("Comparing revisions needs git");
  const { success, output } = await run(program, ["-C", root, ...args], { timeoutMs: 120_000 });
  if (!success) throw new Error(output.trim());
}
