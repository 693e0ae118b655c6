import { CloseCode } from "../protocol/mod.ts";
import { reconnectAdvice } from "../protocol/close_codes.ts";

/**
 * Returns whether a connection that ended with `code` is not expected to reconnect soon: the peer closed
 * it (1000, or 1005 without a code), or lost its access, as after the end of a session. A reloaded page
 * ends with 1001, a broken network with 1006, a stopped server with 1012: these are expected back.
 */
export function isFinalEnd(code: number): boolean {
  const advice = reconnectAdvice(code);
  return code === CloseCode.noStatus || advice === "stop" || advice === "sign-in";
}
