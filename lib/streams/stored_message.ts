import { Buffer } from "node:buffer";
import type { LayerMessage } from "../core/consumer.ts";
import { copyMessage, freezeJson } from "../layers/input.ts";
import { LayerError } from "../layers/layer_error.ts";
import { StreamError } from "./stream_error.ts";
import type { StreamMessage } from "./stream_store.ts";

/** A checked message and the size of its JSON. */
export interface CheckedMessage {
  readonly message: LayerMessage;
  /** The JSON of the message. */
  readonly text: string;
  /** Its size in bytes of UTF-8. */
  readonly bytes: number;
}

/**
 * Checks and copies a message for a store.
 *
 * @throws {TypeError} It has no type, or is not plain data.
 * @throws {StreamError} `MESSAGE_TOO_LARGE`.
 */
export function checkMessage({ type, data }: LayerMessage, maxBytes: number): CheckedMessage {
  try {
    const { message } = copyMessage({ type, data }, maxBytes);
    const text = JSON.stringify(message);
    const bytes = Buffer.byteLength(text);
    if (bytes > maxBytes) throw tooLarge(type, maxBytes);
    return { message, text, bytes };
  } catch (error) {
    if (error instanceof LayerError) throw tooLarge(type, maxBytes);
    throw error;
  }
}

/**
 * Checks and copies a reply for a store.
 *
 * @throws {TypeError} It is not plain data.
 * @throws {StreamError} `MESSAGE_TOO_LARGE`.
 */
export function checkReply(reply: unknown, maxBytes: number): unknown {
  if (reply === undefined) return undefined;
  return checkMessage({ type: "reply", data: reply }, maxBytes).message.data;
}

/** Returns a stored message, frozen. */
export function restoreMessage(text: string, offset: number, at: number): StreamMessage {
  return freezeJson({ ...JSON.parse(text) as LayerMessage, offset, at });
}

/** Cuts messages off so that their JSON has at most `maxBytes`; keeps at least one. */
export function cutToBytes<T extends { readonly bytes: number }>(
  messages: readonly T[],
  maxBytes: number,
  from: "start" | "end",
): readonly T[] {
  let left = maxBytes;
  const ordered = from === "start" ? messages : messages.toReversed();
  const fitting = ordered.findIndex(({ bytes }, index) => (left -= bytes) < 0 && index > 0);
  if (fitting < 0) return messages;
  return from === "start" ? messages.slice(0, fitting) : messages.slice(-fitting);
}

function tooLarge(type: string, maxBytes: number): StreamError {
  return new StreamError(
    "MESSAGE_TOO_LARGE",
    `Cannot append the message "${type}": its JSON has more than ${maxBytes} bytes`,
  );
}
