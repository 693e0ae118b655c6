import { isOutage } from "../core/outage.ts";
import { CloseCode, Refusal } from "../protocol/mod.ts";
import type { RefusalCode } from "../protocol/refusal.ts";

/** Returns the refusal of a request that failed with an error; undefined if the error is unexpected. */
export function refusalOfError(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  return isOutage(error) ? new Refusal("UNAVAILABLE", { cause: error }) : undefined;
}

/** Server-side failures, after which clients may retry. Any other end was a decision. */
const CODES: ReadonlyMap<number, RefusalCode> = new Map([
  [CloseCode.sessionOver, "NOT_SIGNED_IN"],
  [CloseCode.internalError, "INTERNAL"],
  [CloseCode.restart, "DRAINING"],
  [CloseCode.overload, "UNAVAILABLE"],
  [CloseCode.goingAway, "UNAVAILABLE"],
  [CloseCode.abnormal, "UNAVAILABLE"],
]);

/**
 * Returns the refusal of a request whose connection ended without a response. A consumer that closes
 * before it accepts refuses with `FORBIDDEN`.
 */
export function refusalOfEnd(closeCode: number = CloseCode.abnormal): Refusal {
  return Refusal.of(CODES.get(closeCode) ?? "FORBIDDEN");
}
