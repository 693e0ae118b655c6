import { test } from "node:test";

/** A test of Channels, channels_redis or Daphne: `channels/test_routing.py::test_url_router`. */
export type Upstream = `${"channels" | "channels_redis" | "daphne"}/${string}.py::test_${string}`;

/**
 * Defines a test that covers tests of Channels. If `docs/channels.md` documents a difference, it tests
 * the behaviour of this library instead.
 */
export function conforms(
  upstream: Upstream | readonly Upstream[],
  sentence: string,
  body: () => void | Promise<void>,
): void {
  test(`${sentence} [${[upstream].flat().join(", ")}]`, body);
}

/** Defines a test without an upstream counterpart; `row` names it in `docs/channels.md`. */
export function beyond(row: string, sentence: string, body: () => void | Promise<void>): void {
  test(`${sentence} [beyond: ${row}]`, body);
}
