import type { StreamPosition } from "../protocol/frames.ts";

export type { StreamPosition };

/**
 * How reading went on after an interruption.
 *
 * @internal
 */
export interface Recovery {
  /** The stream. */
  readonly stream: string;
  /** False if messages were lost: they are no longer kept, or the history is another one. */
  readonly recovered: boolean;
  /** The number of messages that were missed, and passed to handlers before this call. */
  readonly missed: number;
}

/**
 * Options of `loadBefore()`.
 *
 * @internal
 */
export interface LoadBeforeOptions {
  /** Loads messages before this offset. @default {the oldest one handled or loaded so far} */
  readonly before?: number | undefined;
  /** Maximum number of messages, 1 to 500. @default {100} */
  readonly limit?: number | undefined;
}
