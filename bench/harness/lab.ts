/** What the questions of one run share. */
export interface Lab {
  /** The tree whose toolkit is measured, with a `/` at its end. */
  readonly root: string;
  /** Seconds that each measurement takes. */
  readonly seconds: number;
  /** A folder for what the run makes; it is removed afterwards. */
  readonly scratch: string;
  /** The only peers to measure, besides Sluice and the baseline; all where it is left out. */
  readonly peers?: ReadonlySet<string>;
  /** Says what is being got or made. */
  note(text: string): void;
}
