import { type ChannelLayer, LayerError } from "../layers/mod.ts";
import { assertChannelName } from "../layers/input.ts";
import type { LayerMessage } from "../core/consumer.ts";

/**
 * A message that was given up, with the reason.
 *
 * @internal
 */
export interface DeadLetter {
  /** The channel of the message. */
  readonly channel: string;
  /** The message, without its data if the letter would be too large for the layer. */
  readonly message: LayerMessage;
  /** The number of attempts. */
  readonly attempts: number;
  /** Name and message of the last error, up to 1,000 characters. */
  readonly error: string;
  /** When the message was given up, in milliseconds since the epoch. */
  readonly at: number;
}

/** The type of messages in a dead-letter channel; their data is a {@linkcode DeadLetter}. */
export const DEAD_LETTER = "dead.letter";

const MAX_ERROR_LENGTH = 1_000;

/**
 * Returns the name of a channel's dead-letter channel: `dead.<channel>`.
 *
 * @throws {TypeError} The result is not a valid name, for example because it is too long.
 */
export function deadLetterChannel(channel: string): string {
  const name = `dead.${channel}`;
  assertChannelName(name);
  return name;
}

/** Returns the text of a thrown value for a {@linkcode DeadLetter}. Never throws. */
export function errorText(error: unknown): string {
  try {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return text.slice(0, MAX_ERROR_LENGTH);
  } catch {
    return "An error without a message";
  }
}

/** Sends a letter to its dead-letter channel. Returns false if the data had to be left out. */
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
