import type { LayerMessage } from "../scope.ts";

/** A message that was given up, with why. */
export interface DeadLetter {
  /** The channel that it came from. */
  readonly channel: string;
  readonly message: LayerMessage;
  /** How often it was tried. */
  readonly attempts: number;
  /** Name and message of the last error. */
  readonly error: string;
  /** When it was given up, in milliseconds since the epoch. */
  readonly at: number;
}

/** The type of the messages in a dead-letter channel; their data is a {@linkcode DeadLetter}. */
export const DEAD_LETTER = "dead.letter";

/** Returns the name of the channel for what a channel's worker gives up. */
export function deadLetterChannel(channel: string): string {
  return `dead.${channel}`;
}
