import type { Lab } from "./lab.ts";

/** One measurement of one contestant. */
export interface Measure {
  /** The measured value, in the contest's unit. */
  readonly value: number;
  /** Latencies, in milliseconds. */
  readonly p50?: number;
  readonly p99?: number;
  /** Processor seconds (user and system) of the server per million units. */
  readonly cpu?: number;
  /** How busy the load generator was, 0 to 1. Near 1 it was the bottleneck. */
  readonly busy?: number;
}

/** A participant of a contest. */
export interface Contestant {
  readonly name: string;
  /** Whether it runs the toolkit of the tree, which `--compare` compares between revisions. */
  readonly isSluice?: boolean;
  measure(): Promise<Measure>;
}

/** A participant that could not be measured here. */
export interface Absent {
  readonly name: string;
  readonly reason: string;
}

/** A goal: `of` is at least (or, if less is better, at most) `ratio` × `against`. */
export interface Target {
  readonly of: string;
  readonly against: string;
  readonly ratio: number;
  /** The figure that is compared. @default {"value"} */
  readonly figure?: "value" | "cpu";
}

/** An absolute goal: `of` is at most `limit`, in the contest's unit. */
export interface Limit {
  readonly of: string;
  readonly limit: number;
}

/** The description of a contest. */
export interface ContestHead {
  /** The contest's part of file names: `echo_8`. */
  readonly id: string;
  readonly title: string;
  /** The unit of the value: `messages/s`, `KB per socket`. */
  readonly unit: string;
  readonly better: "more" | "less";
  /** The contestant that ratios refer to. */
  readonly baseline: string;
  readonly targets?: readonly Target[];
  readonly limits?: readonly Limit[];
}

/** Contestants that do the same work, measured in turn. */
export interface Contest extends ContestHead {
  readonly contestants: readonly Contestant[];
  readonly absent: readonly Absent[];
}

/** One file of `questions/`: what is measured, and for which peers. */
export interface Question {
  readonly title: string;
  /** What is measured and how, in a few sentences for the results page. */
  readonly about: string;
  /** Whether it runs when no question is named. */
  readonly isQuick: boolean;
  /**
   * Prepares the contests.
   *
   * @throws {Unavailable} The machine lacks a requirement of the whole question.
   */
  contests(lab: Lab): Promise<Contest[]>;
}
