/** The environment that all questions of one run share. */
export interface Lab {
  /** The tree whose toolkit is measured, with a trailing `/`. */
  readonly root: string;
  /** The duration of each measurement, in seconds. */
  readonly seconds: number;
  /** A temporary folder of the run; removed afterwards. */
  readonly scratch: string;
  /** The only peers to measure besides Sluice and the baseline; by default, all. */
  readonly peers?: ReadonlySet<string>;
  /** Calls back when the run has ended, to stop a server. */
  defer(end: () => Promise<void>): void;
  /** Reports what is being installed or built. */
  note(text: string): void;
}
