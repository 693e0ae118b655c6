import type { Absent, ContestHead, Measure } from "../question.ts";

/** The measurements of a contestant, by round. */
export interface ContestantResult {
  readonly name: string;
  readonly rounds: readonly Measure[];
}

/** A contest with its results. */
export interface ContestResult extends ContestHead {
  readonly contestants: readonly ContestantResult[];
  readonly absent: readonly Absent[];
}

/** The file `results/NAME.json`, with every measurement, so that readers can compute their own medians. */
export interface QuestionResult {
  /** Its file in `questions/`, without `.ts`. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** RFC 3339. */
  readonly measuredAt: string;
  /** The commit, with `+` if files had changed since. */
  readonly revision: string;
  readonly rounds: number;
  /** The duration of each measurement, in seconds. */
  readonly seconds: number;
  readonly machine: Machine;
  readonly contests: readonly ContestResult[];
}

/** The machine of a measurement. */
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
