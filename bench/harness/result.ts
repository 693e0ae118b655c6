import type { Absent, ContestHead, Measure } from "./question.ts";

/** What a contestant did, round by round. */
export interface ContestantResult {
  readonly name: string;
  readonly rounds: readonly Measure[];
}

/** A contest with what came of it. */
export interface ContestResult extends ContestHead {
  readonly contestants: readonly ContestantResult[];
  readonly absent: readonly Absent[];
}

/** The file `results/NAME.json`: every measurement, so that whoever doubts a median can make his own. */
export interface QuestionResult {
  /** Its file in `questions/`, without `.ts`. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** RFC 3339. */
  readonly measuredAt: string;
  /** The commit, with `+` where files had changed since. */
  readonly revision: string;
  readonly rounds: number;
  /** Seconds of each measurement. */
  readonly seconds: number;
  readonly machine: Machine;
  readonly contests: readonly ContestResult[];
}

/** What it was measured on. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  /** GiB. */
  readonly memory: number;
  readonly system: string;
  readonly pinning: string;
  /** `{ deno: "2.9.6", … }`. */
  readonly versions: Readonly<Record<string, string>>;
}
