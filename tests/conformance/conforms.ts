import { test } from "node:test";

/** A test of Channels, channels_redis or Daphne: `channels/test_routing.py::test_url_router`. */
export type Upstream = `${"channels" | "channels_redis" | "daphne"}/${string}.py::test_${string}`;

/**
 * Defines a test that states here what tests of Channels state there, or what it does instead where
 * `docs/channels.md` says that it differs.
 */
export function conforms(
  upstream: Upstream | readonly Upstream[],
  sentence: string,
  body: () => void | Promise<void>,
): void {
  test(`${sentence} [${[upstream].flat().join(", ")}]`, body);
}

/** Defines a test of a behaviour for which upstream has none; `row` names it in `docs/channels.md`. */
export function beyond(row: string, sentence: string, body: () => void | Promise<void>): void {
  test(`${sentence} [beyond: ${row}]`, body);
}
