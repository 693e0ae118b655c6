import { MAX_CLOSE_REASON_BYTES } from "../protocol/mod.ts";

/** Returns `reason`, cut to what fits into a close frame (RFC 6455 §5.5) between characters. */
export function truncateReason(reason: string): string {
  const bytes = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_CLOSE_REASON_BYTES));
  return reason.slice(0, bytes.read);
}
