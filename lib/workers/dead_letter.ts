import { assertChannelName, LayerError } from "../layers/mod.ts";
import type { ChannelLayer } from "../layers/mod.ts";
import type { LayerMessage } from "../scope.ts";

/** A message that was given up, with why. */
export interface DeadLetter {
  /** The channel that it came from. */
  readonly channel: string;
  /** The message; without its data if message and reason together are too large for the layer. */
  readonly message: LayerMessage;
  /** How often it was tried. */
  readonly attempts: number;
  /** Name and message of the last error, of 1,000 characters at most. */
  readonly error: string;
  /** When it was given up, in milliseconds since the epoch. */
  readonly at: number;
}

/** The type of the messages in a dead-letter channel; their data is a {@linkcode DeadLetter}. */
export const DEAD_LETTER = "dead.letter";

const MAX_ERROR_LENGTH = 1_000;

/**
 * Returns the name of the channel for what a channel's worker gives up.
 *
 * @throws {TypeError} The channel's name is too long for one.
 */
export function deadLetterChannel(channel: string): string {
  const name = `dead.${channel}`;
  assertChannelName(name);
  return name;
}

/** Returns what a {@linkcode DeadLetter} says of an error, whatever was thrown. */
export function errorText(error: unknown): string {
  try {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return text.slice(0, MAX_ERROR_LENGTH);
  } catch {
    return "An error without a text";
  }
}

/** Stores a letter in its dead-letter channel. Returns false: the data had to be left out. */
export async function sendDeadLetter(layer: ChannelLayer, letter: DeadLetter): Promise<boolean> {
  const channel = deadLetterChannel(letter.channel);
  try {
    await layer.send(channel, { type: DEAD_LETTER, data: letter });
    return true;
  } catch (error) {
    if (!(error instanceof LayerError) || error.code !== "MESSAGE_TOO_LARGE") throw error;
    const short: DeadLetter = { ...letter, message: { type: letter.message.type } };
    await layer.send(channel, { type: DEAD_LETTER, data: short });
    return false;
  }
}
