import type { Limit, Measure, Target } from "../question.ts";
import type { ContestantResult, ContestResult } from "./result.ts";
import { median, ratios, type Spread, spread } from "./statistics.ts";

/** The medians of one contestant. */
export interface Row {
  readonly name: string;
  /** The median of the ratios to the baseline by round. Missing without a baseline. */
  readonly ratio?: Spread;
  readonly value: Spread;
  readonly p50?: number;
  readonly p99?: Spread;
  readonly cpu?: number;
  readonly busy?: number;
}

/** Whether a contestant reached a goal. */
export interface Verdict {
  readonly target: Target | Limit;
  /** The ratio, or the value for a limit. */
  readonly reached: number;
  readonly isReached: boolean;
}

/** Returns the rows of a contest, best first. */
export function summarise(contest: ContestResult): Row[] {
  const base = contest.contestants.find(({ name }) => name === contest.baseline);
  const order = contest.better === "more" ? -1 : 1;
  return contest.contestants.filter(({ rounds }) => rounds.length > 0)
    .map((contestant) => toRow(contestant, base))
    .sort((a, b) => order * (a.value.median - b.value.median));
}

/** Judges every goal whose contestants were measured. */
export function judge(contest: ContestResult): Verdict[] {
  return [
    ...(contest.targets ?? []).flatMap((target) => judgeTarget(contest, target)),
    ...(contest.limits ?? []).flatMap((target) => {
      const rounds = roundsOf(contest, target.of);
      if (rounds.length === 0) return [];
      const reached = median(rounds.map(({ value }) => value));
      return [{ target, reached, isReached: reached <= target.limit }];
    }),
  ];
}

function judgeTarget(contest: ContestResult, target: Target): Verdict[] {
  const { of, against, ratio, figure = "value" } = target;
  const [own, other] = [of, against].map((name) => figures(roundsOf(contest, name), figure));
  if (own!.length === 0 || other!.length === 0) return [];
  const reached = median(ratios(own!, other!));
  const isMoreBetter = figure === "value" && contest.better === "more";
  return [{ target, reached, isReached: isMoreBetter ? reached >= ratio : reached <= ratio }];
}

function toRow({ name, rounds }: ContestantResult, base: ContestantResult | undefined): Row {
  const values = figures(rounds, "value");
  const [p50, p99] = [figures(rounds, "p50"), figures(rounds, "p99")];
  const [cpu, busy] = [figures(rounds, "cpu"), figures(rounds, "busy")];
  return {
    name,
    value: spread(values),
    ...(base ? { ratio: spread(ratios(values, figures(base.rounds, "value"))) } : {}),
    ...(p50.length > 0 ? { p50: median(p50) } : {}),
    ...(p99.length > 0 ? { p99: spread(p99) } : {}),
    ...(cpu.length > 0 ? { cpu: median(cpu) } : {}),
    ...(busy.length > 0 ? { busy: median(busy) } : {}),
  };
}

function roundsOf(contest: ContestResult, name: string): readonly Measure[] {
  return contest.contestants.find((contestant) => contestant.name === name)?.rounds ?? [];
}

function figures(rounds: readonly Measure[], figure: keyof Measure): number[] {
  return rounds.map((measure) => measure[figure]).filter((value) => value !== undefined);
}
