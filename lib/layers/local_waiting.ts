import type { PlainMessage } from "./plain_message.ts";

/** A message that waits in a channel of this process. */
export interface WaitingMessage extends PlainMessage {
  /** Its place in the channel. */
  readonly number: number;
  readonly expiresAt: number;
  /** How often it was leased. */
  readonly attempts: number;
}

/** The messages that wait in one channel, in the order of their numbers. */
export class WaitingMessages {
  #messages: WaitingMessage[] = [];

  get count(): number {
    return this.#messages.length;
  }

  /** Adds a message at its place. */
  add(message: WaitingMessage): void {
    const after = this.#messages.findLastIndex(({ number }) => number < message.number);
    this.#messages.splice(after + 1, 0, message);
  }

  /** Removes the first message. */
  shift(): WaitingMessage | undefined {
    return this.#messages.shift();
  }

  /** Removes all messages. */
  clear(): readonly WaitingMessage[] {
    return this.#messages.splice(0);
  }

  /** Removes messages that have waited too long. */
  expire(now: number): readonly WaitingMessage[] {
    const isGone = ({ expiresAt }: WaitingMessage) => expiresAt <= now;
    if (!this.#messages.some(isGone)) return [];
    const gone = this.#messages.filter(isGone);
    this.#messages = this.#messages.filter((message) => !isGone(message));
    return gone;
  }
}
