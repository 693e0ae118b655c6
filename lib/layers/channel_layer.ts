import type { LayerMessage } from "../scope.ts";

/** Takes the messages of one channel as they come. */
export interface Mailbox {
  /** Takes a message, or returns false: it is full or over, and the message is dropped. */
  deliver(message: LayerMessage): boolean;
}

/** What became of a message to a group. */
export interface GroupSendResult {
  /** Members of this process that took the message. */
  readonly delivered: number;
  /** Members of this process that did not, as they were full. */
  readonly dropped: number;
}

/** Options of {@linkcode ChannelLayer.groupSend}. */
export interface GroupSendOptions {
  /** A member that does not get the message, such as the sender. */
  readonly except?: string;
}

/**
 * Carries messages between channels, in one process or across many.
 *
 * A channel is the mailbox of one reader; a group is a named set of channels. The guarantees, which
 * every driver holds and `testChannelLayer()` checks, are in `docs/layer_spec.md`: at most once, in
 * the order of one sender to one channel, bounded, and no drop without a count.
 */
export interface ChannelLayer {
  /** What it can do beyond `send` and `receive`: `groups`, `flush`. */
  readonly extensions: readonly string[];
  /** Returns a new name for a channel of this process. */
  newChannel(prefix?: string): string;
  /** Hands every message for `channel` to `mailbox`. Returns how to leave, with all its groups. */
  attach(channel: string, mailbox: Mailbox): () => void;
  /**
   * Sends to one channel.
   *
   * @throws {LayerError} `CHANNEL_FULL`, or `UNAVAILABLE`.
   */
  send(channel: string, message: LayerMessage): Promise<void>;
  /** Waits for the next message of a channel that has no mailbox. Rejects when `signal` aborts. */
  receive(channel: string, options?: { signal?: AbortSignal }): Promise<LayerMessage>;
  /** Adds a channel to a group. Again is the same as once. */
  groupAdd(group: string, channel: string): Promise<void>;
  /** Removes a channel from a group. No effect where it is not in it. */
  groupDiscard(group: string, channel: string): Promise<void>;
  /** Sends to every channel of a group. Never rejects because one is full. */
  groupSend(
    group: string,
    message: LayerMessage,
    options?: GroupSendOptions,
  ): Promise<GroupSendResult>;
  /** Forgets all channels, groups and messages. */
  flush(): Promise<void>;
  /** Lets go of what it holds. Waiting `receive()`s reject with `CLOSED`. */
  close(): Promise<void>;
}
