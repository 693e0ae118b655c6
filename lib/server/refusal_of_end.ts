import { CloseCode, Refusal, type RefusalCode } from "../protocol/mod.ts";

const CODES: ReadonlyMap<number, RefusalCode> = new Map([
  [CloseCode.sessionOver, "NOT_SIGNED_IN"],
  [CloseCode.forbidden, "FORBIDDEN"],
  [CloseCode.internalError, "INTERNAL"],
]);

/** How long a client is told to wait that could not be answered, in seconds. */
const RETRY_AFTER_SECONDS = 1;

/** Returns the answer to a request whose connection ended before it had one. */
export function refusalOfEnd(closeCode: number | undefined): Refusal {
  const code = CODES.get(closeCode ?? CloseCode.abnormal);
  if (code !== undefined) return Refusal.of(code);
  const isRestart = closeCode === CloseCode.restart;
  const options = { retryAfterSeconds: RETRY_AFTER_SECONDS };
  return new Refusal(isRestart ? "DRAINING" : "UNAVAILABLE", options);
}
