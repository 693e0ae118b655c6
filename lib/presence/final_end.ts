import { CloseCode, reconnectAdvice } from "../protocol/mod.ts";

/**
 * Whether a connection that ended with `code` will not be back in a moment: its peer closed it (1000,
 * or 1005: without a code), or may not be there, as after the end of a session. A page that is reloaded
 * ends with 1001, a network that breaks with 1006, a server that stops with 1012: those may.
 */
export function isFinalEnd(code: number): boolean {
  const advice = reconnectAdvice(code);
  return code === CloseCode.noStatus || advice === "stop" || advice === "sign-in";
}
