import type { Lab } from "./lab.ts";

/** One measurement of one contestant. */
export interface Measure {
  /** What the contest is about, in its unit. */
  readonly value: number;
  /** Latencies, in milliseconds. */
  readonly p50?: number;
  readonly p99?: number;
  /** Processor seconds (user and system) of the server for a million units. */
  readonly cpu?: number;
  /** How busy the load generator was, 0 to 1: near 1 it is the bottleneck, and the value its. */
  readonly busy?: number;
}

/** Somebody who is measured in a contest. */
export interface Contestant {
  readonly name: string;
  /** Whether it runs the toolkit of the tree: what `--compare` sets beside another revision. */
  readonly isSluice?: boolean;
  measure(): Promise<Measure>;
}

/** Somebody who could not be measured here. */
export interface Absent {
  readonly name: string;
  readonly reason: string;
}

/** What is to be reached: `of` at least (or, where less is better, at most) `ratio` × `against`. */
export interface Target {
  readonly of: string;
  readonly against: string;
  readonly ratio: number;
  /** Which figure. @default {"value"} */
  readonly figure?: "value" | "cpu";
}

/** A limit that is no ratio to anybody: `of` at most `limit`, in the contest's unit. */
export interface Limit {
  readonly of: string;
  readonly limit: number;
}

/** How a contest is named and read. */
export interface ContestHead {
  /** Its name in file names: `echo_8`. */
  readonly id: string;
  readonly title: string;
  /** What the value counts: `messages/s`, `KB per socket`. */
  readonly unit: string;
  readonly better: "more" | "less";
  /** Whom the ratios are to. */
  readonly baseline: string;
  readonly targets?: readonly Target[];
  readonly limits?: readonly Limit[];
}

/** Contestants who do the same work, measured in turn. */
export interface Contest extends ContestHead {
  readonly contestants: readonly Contestant[];
  readonly absent: readonly Absent[];
}

/** One file of `questions/`: what is asked, and of whom. */
export interface Question {
  readonly title: string;
  /** What is measured and how, in a few sentences, for the page of the results. */
  readonly about: string;
  /** Whether it is asked where no question is named. */
  readonly isQuick: boolean;
  /**
   * Prepares the contests.
   *
   * @throws {Unavailable} The machine lacks what the whole question needs.
   */
  contests(lab: Lab): Promise<Contest[]>;
}
