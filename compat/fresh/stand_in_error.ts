import { HttpError } from "./error.ts";

/** Thrown for features that only upstream Fresh has. The message is safe to show: status 501. */
export class StandInError extends HttpError {
  /** Names the missing feature: `<Partial>`, `ipFilter()`. */
  constructor(feature: string) {
    super(
      501,
      `${feature} needs upstream Fresh: the stand-in for Fresh in compat/fresh does not have it. ` +
        "Switch with `deno task fresh upstream`, on a machine that can reach JSR.",
    );
  }
}
