import type { Lab } from "./lab.ts";
import { describeMachine, describeRevision } from "./machine.ts";
import type { Question } from "./question.ts";
import type { ContestResult, QuestionResult } from "./result.ts";
import { runContest } from "./run_contest.ts";
import { remarks, table } from "./table.ts";
import { Unavailable } from "./unavailable.ts";

/** How much is measured. */
export interface Effort {
  readonly rounds: number;
  /** Seconds of each measurement. */
  readonly seconds: number;
  readonly peers?: ReadonlySet<string>;
}

/** A question that is to be asked. */
export interface Asked {
  readonly name: string;
  readonly question: Question;
  readonly effort: Effort;
}

/** Asks a question and prints its tables; returns nothing where the machine lacks what it needs. */
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
 * Works in a lab that is cleared away afterwards.
 *
 * @returns Whether the machine had what it took; what it lacks is printed.
 */
export async function withLab(
  root: string,
  { seconds, peers }: Effort,
  work: (lab: Lab) => Promise<void>,
): Promise<boolean> {
  const scratch = await Deno.makeTempDir({ prefix: "sluice-bench-" });
  try {
    await work({ root, seconds, scratch, note, ...(peers ? { peers } : {}) });
    return true;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.log(`Left out: ${error.message}.`);
    return false;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Prints a contest: its table, and what is to be said of it. */
export function print(contest: ContestResult): void {
  console.log(`\n${contest.title}\n\n${table(contest) || "Nobody could be measured."}`);
  for (const remark of remarks(contest)) console.log(`- ${remark}`);
}

/** Says in one line that comes and goes what is being measured; nothing where nobody watches. */
export function progress(title: string, text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${title}: ${text}\r`));
}

function note(text: string): void {
  console.error(text);
}
