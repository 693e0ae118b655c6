import type { LayerGap, LayerMessage } from "../scope.ts";
import type { LayerStats } from "./layer_stats.ts";

export type { LayerGap };

/** Takes the messages of one channel as they come. */
export interface Mailbox {
  /**
   * Takes a message, or returns false: it is full or over. To throw is not to take it either. A local
   * channel drops such a message; a durable one keeps it and offers it again.
   */
  deliver(message: LayerMessage): boolean;
  /** Called after a gap, when messages arrive again: whoever keeps state fetches it anew. */
  gap?(gap: LayerGap): void;
}

/**
 * A message of a durable channel that is reserved for one reader, until it is acknowledged.
 *
 * The message stays in the layer. If the lease is neither settled nor renewed within `durationMs`,
 * another reader gets the message. Each method resolves with false if the lease is lost: then another
 * reader has the message, or had it, and this one changes nothing.
 */
export interface Lease {
  readonly message: LayerMessage;
  /** Which attempt this is, from 1: the layer counts leases that ended without {@linkcode ack}. */
  readonly attempt: number;
  /** How long the lease holds, from its begin or last renewal, in milliseconds. */
  readonly durationMs: number;
  /**
   * Removes the message: it is handled. Tries again while the layer cannot be reached and the lease
   * holds.
   *
   * @throws {LayerError} `UNAVAILABLE`: it is not known whether the message is removed; or `CLOSED`.
   */
  ack(): Promise<boolean>;
  /**
   * Extends the lease to `durationMs` from now. `attempts` notes how many attempts were made, this
   * one included. @default {attempt}
   *
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  renew(options?: LeaseEnd): Promise<boolean>;
  /**
   * Gives the message back at once, to its place in the channel. A reader that did not begin with it
   * passes `attempt - 1` as `attempts`.
   *
   * @throws {LayerError} `UNAVAILABLE`: it is given back when the lease ends; or `CLOSED`.
   */
  release(options?: LeaseEnd): Promise<boolean>;
}

/** What {@linkcode Lease.renew} and {@linkcode Lease.release} note. */
export interface LeaseEnd {
  /** How many attempts were made, this one included. @default {attempt} */
  readonly attempts?: number;
}

/** What became of a message to a group: three counts of members, and one of processes. */
export interface GroupSendResult {
  /** Members that took the message: of this process, and durable ones. */
  readonly delivered: number;
  /** Members in whose channel it waits for a reader. */
  readonly queued: number;
  /** Members that did not take it: they were full, or a limit was reached. */
  readonly dropped: number;
  /** Other processes that got it; `undefined` where the driver cannot know. */
  readonly processes: number | undefined;
}

/** Options of {@linkcode ChannelLayer.groupSend}. */
export interface GroupSendOptions {
  /** A member that does not get the message, such as the sender. */
  readonly except?: string | undefined;
  /** To members of this process only. @default {false} */
  readonly local?: boolean;
}

/**
 * Carries messages between channels, in one process or across many.
 *
 * A channel is the mailbox of one reader; a group is a named set of channels. The guarantees, which
 * every driver holds and `testChannelLayer()` checks, are in `docs/layer_spec.md`: at most once, or
 * at least once with {@linkcode ChannelLayer.lease}, in the order of one sender to one channel, bounded,
 * and no drop without a count.
 */
export interface ChannelLayer {
  /** What it can do beyond `send` and `receive`: `groups`, `flush`, `processes`. */
  readonly extensions: readonly string[];
  /** What went through it and what did not, since it was made. A new object at every read. */
  readonly stats: LayerStats;
  /** Returns a new name for a channel of this process. */
  newChannel(prefix?: string): string;
  /**
   * Hands every message for `channel` to `mailbox`. Returns how to leave, with all its groups.
   *
   * @throws {TypeError} The channel has a reader.
   * @throws {LayerError} `LIMIT_REACHED`, or `CLOSED`.
   */
  attach(channel: string, mailbox: Mailbox): () => void;
  /**
   * Sends to one channel.
   *
   * @throws {TypeError} The name is none, or the message is not plain data.
   * @throws {LayerError} `CHANNEL_FULL`, `MESSAGE_TOO_LARGE`, `LIMIT_REACHED`, `UNAVAILABLE`, or
   * `CLOSED`.
   */
  send(channel: string, message: LayerMessage): Promise<void>;
  /**
   * Waits for the next message of a channel that has no mailbox, and removes it. Rejects when `signal`
   * aborts, unless a message is being handed over at that moment: then it resolves with the message.
   *
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  receive(channel: string, options?: { signal?: AbortSignal }): Promise<LayerMessage>;
  /**
   * Waits for the next message of a durable channel that has no mailbox, and reserves it: it leaves the
   * layer when it is acknowledged. Rejects when `signal` aborts.
   *
   * @throws {TypeError} The channel lives in a process.
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  lease(channel: string, options?: { signal?: AbortSignal }): Promise<Lease>;
  /**
   * Adds a channel to a group. Again is the same as once.
   *
   * @throws {LayerError} `LIMIT_REACHED`, `UNAVAILABLE`, or `CLOSED`; then it is in no group that it
   * was not in before.
   */
  groupAdd(group: string, channel: string): Promise<void>;
  /** Removes a channel from a group. No effect where it is not in it. */
  groupDiscard(group: string, channel: string): Promise<void>;
  /**
   * Sends to every channel of a group. Never rejects because one is full.
   *
   * @throws {LayerError} `MESSAGE_TOO_LARGE`, `LIMIT_REACHED`, `UNAVAILABLE`, or `CLOSED`.
   */
  groupSend(
    group: string,
    message: LayerMessage,
    options?: GroupSendOptions,
  ): Promise<GroupSendResult>;
  /** Calls back after each gap. Returns how to take it back. */
  onGap(callback: (gap: LayerGap) => void): () => void;
  /**
   * Asks whether messages can be carried now.
   *
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  check(): Promise<void>;
  /** Forgets all channels, groups and messages; mailboxes stay. For tests. */
  flush(): Promise<void>;
  /** Lets go of what it holds. Waiting `receive()`s reject with `CLOSED`. */
  close(): Promise<void>;
}
