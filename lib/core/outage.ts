/**
 * Whether an error says that a database, a store or a layer cannot be reached: its `code` is
 * `UNAVAILABLE`. It passes by itself, so clients are asked to retry.
 */
export function isOutage(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === "UNAVAILABLE";
}
