import { CloseCode, Refusal, type RefusalCode } from "../../protocol/mod.ts";

/** Server-side failures, after which clients may retry. Any other end was a decision. */
const CODES: ReadonlyMap<number, RefusalCode> = new Map([
  [CloseCode.sessionOver, "NOT_SIGNED_IN"],
  [CloseCode.internalError, "INTERNAL"],
  [CloseCode.restart, "DRAINING"],
  [CloseCode.overload, "UNAVAILABLE"],
  [CloseCode.goingAway, "UNAVAILABLE"],
  [CloseCode.abnormal, "UNAVAILABLE"],
]);

/** `Retry-After` of a request that could not be answered, in seconds. */
const RETRY_AFTER_SECONDS = 1;

/**
 * Returns the refusal of a request whose connection ended without a response. A consumer that closes
 * before it accepts refuses with `FORBIDDEN`.
 */
export function refusalOfEnd(closeCode: number = CloseCode.abnormal): Refusal {
  const code = CODES.get(closeCode) ?? "FORBIDDEN";
  if (code !== "DRAINING" && code !== "UNAVAILABLE") return Refusal.of(code);
  return new Refusal(code, { retryAfterSeconds: RETRY_AFTER_SECONDS });
}
