import type { PlainMessage } from "./plain_message.ts";

/** A message that waits in a local channel. */
export interface WaitingMessage extends PlainMessage {
  /** The message's position in the channel. */
  readonly number: number;
  readonly expiresAt: number;
  /** How often the message was leased. */
  readonly attempts: number;
}

/** The waiting messages of one channel, in the order of their numbers. */
export class WaitingMessages {
  #messages: WaitingMessage[] = [];

  get count(): number {
    return this.#messages.length;
  }

  /** Inserts a message by its number. */
  add(message: WaitingMessage): void {
    const after = this.#messages.findLastIndex(({ number }) => number < message.number);
    this.#messages.splice(after + 1, 0, message);
  }

  /** Removes and returns the first message. */
  shift(): WaitingMessage | undefined {
    return this.#messages.shift();
  }

  /** Removes and returns all messages. */
  clear(): readonly WaitingMessage[] {
    return this.#messages.splice(0);
  }

  /** Removes and returns expired messages. */
  expire(now: number): readonly WaitingMessage[] {
    const isGone = ({ expiresAt }: WaitingMessage) => expiresAt <= now;
    if (!this.#messages.some(isGone)) return [];
    const gone = this.#messages.filter(isGone);
    this.#messages = this.#messages.filter((message) => !isGone(message));
    return gone;
  }
}
