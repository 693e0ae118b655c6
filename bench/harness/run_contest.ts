import type { Absent, Contest, Contestant, Measure } from "./question.ts";
import type { ContestResult } from "./report/result.ts";

/**
 * Measures contestants in turn, round by round, so that disturbances affect all of them. Every other
 * round runs in reverse, so that no contestant always follows the same one.
 *
 * A contestant that fails is left out from then on, with the reason.
 */
export async function runContest(
  contest: Contest,
  rounds: number,
  progress: (text: string) => void = () => {},
): Promise<ContestResult> {
  const { contestants, absent, ...head } = contest;
  const failed: Absent[] = [];
  const measures = new Map(contestants.map(({ name }): [string, Measure[]] => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contestant of inTurn(contestants, round)) {
      const { name } = contestant;
      if (failed.some((other) => other.name === name)) continue;
      progress(`round ${round + 1} of ${rounds}: ${name}`);
      try {
        measures.get(name)!.push(await contestant.measure());
      } catch (error) {
        failed.push({ name, reason: error instanceof Error ? error.message : String(error) });
      }
    }
  }
  const isOut = (name: string) => failed.some((other) => other.name === name);
  return {
    ...head,
    contestants: contestants.filter(({ name }) => !isOut(name))
      .map(({ name }) => ({ name, rounds: measures.get(name)! })),
    absent: [...absent, ...failed],
  };
}

function inTurn(contestants: readonly Contestant[], round: number): readonly Contestant[] {
  return round % 2 === 0 ? contestants : contestants.toReversed();
}
