/**
 * V8 flags that limit the young generation to 4 MiB per semi-space, instead of 16. A server's
 * objects live long, or for one turn: a larger nursery costs tens of megabytes and longer pauses
 * without a gain in speed. See `docs/decisions/0009_runtime_settings.md`. The tasks that serve use
 * the same flags.
 */
export const V8_FLAGS = "--v8-flags=--max-semi-space-size=4";
