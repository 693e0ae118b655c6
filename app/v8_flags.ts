/**
 * How V8 is told to keep young objects: in 4 MiB for each half, instead of 16. A server's live long, or
 * for one turn: a larger nursery costs tens of megabytes and longer pauses, and makes nothing faster. See
 * `docs/decisions/0009_runtime_settings.md`. The tasks that serve have the same.
 */
export const V8_FLAGS = "--v8-flags=--max-semi-space-size=4";
