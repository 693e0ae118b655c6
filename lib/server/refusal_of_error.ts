import { isOutage } from "../core/outage.ts";
import { Refusal } from "../protocol/mod.ts";

/** Returns the refusal of a request that failed with an error; undefined if the error is unexpected. */
export function refusalOfError(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  return isOutage(error) ? new Refusal("UNAVAILABLE", { cause: error }) : undefined;
}
