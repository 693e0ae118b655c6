import type { Lab } from "./lab.ts";
import { describeMachine, describeRevision } from "./servers/machine.ts";
import type { Question } from "./question.ts";
import type { ContestResult, QuestionResult } from "./report/result.ts";
import { runContest } from "./run_contest.ts";
import { remarks, table } from "./report/table.ts";
import { Unavailable } from "./unavailable.ts";

/** The effort of a run. */
export interface Effort {
  readonly rounds: number;
  /** The duration of each measurement, in seconds. */
  readonly seconds: number;
  readonly peers?: ReadonlySet<string>;
}

/** A question to run. */
export interface Asked {
  readonly name: string;
  readonly question: Question;
  readonly effort: Effort;
}

/** Runs a question and prints its tables. Returns `undefined` if the machine lacks a requirement. */
export async function askQuestion(
  root: string,
  { name, question, effort }: Asked,
): Promise<QuestionResult | undefined> {
  const { rounds, seconds } = effort;
  console.log(`\n# ${question.title} (${name}): ${rounds} rounds of ${seconds} s`);
  const contests: ContestResult[] = [];
  const isAsked = await withLab(root, effort, async (lab) => {
    for (const contest of await question.contests(lab)) {
      const result = await runContest(contest, rounds, (text) => progress(contest.title, text));
      print(result);
      contests.push(result);
    }
  });
  if (!isAsked) return undefined;
  const { title, about } = question;
  const [measuredAt, revision] = [new Date().toISOString(), await describeRevision(root)];
  return {
    name,
    title,
    about,
    measuredAt,
    revision,
    rounds,
    seconds,
    machine: describeMachine(),
    contests,
  };
}

/**
 * Runs `work` in a lab that is removed afterwards.
 *
 * @returns Whether the machine met all requirements; a missing one is printed.
 */
export async function withLab(
  root: string,
  { seconds, peers }: Effort,
  work: (lab: Lab) => Promise<void>,
): Promise<boolean> {
  const scratch = await Deno.makeTempDir({ prefix: "sluice-bench-" });
  await using ends = new AsyncDisposableStack();
  try {
    const defer = (end: () => Promise<void>) => ends.defer(end);
    await work({ root, seconds, scratch, note, defer, ...(peers ? { peers } : {}) });
    return true;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.log(`Left out: ${error.message}.`);
    return false;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Prints a contest: its table and remarks. */
export function print(contest: ContestResult): void {
  console.log(`\n${contest.title}\n\n${table(contest) || "No contestant could be measured."}`);
  for (const remark of remarks(contest)) console.log(`- ${remark}`);
}

/** Shows the current measurement in a status line, if the output is a terminal. */
export function progress(title: string, text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${title}: ${text}\r`));
}

function note(text: string): void {
  console.error(text);
}
