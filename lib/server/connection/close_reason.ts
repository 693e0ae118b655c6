import { MAX_CLOSE_REASON_BYTES } from "../../protocol/limits.ts";

/** Returns `reason`, cut between characters to the size of a close frame (RFC 6455 §5.5). */
export function truncateReason(reason: string): string {
  const bytes = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_CLOSE_REASON_BYTES));
  return reason.slice(0, bytes.read);
}
