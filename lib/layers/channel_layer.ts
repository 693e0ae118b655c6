import type { LayerGap, LayerMessage } from "../core/consumer.ts";

export type { LayerGap };

/** Receives the messages of one channel. */
export interface Mailbox {
  /**
   * Takes a message. Returns false if the mailbox is full or closed; throwing refuses the message,
   * too. A local channel drops a refused message; a durable one keeps it and offers it again.
   */
  deliver(message: LayerMessage): boolean;
  /** Called when messages arrive again after a gap. Reload any state that depends on messages. */
  gap?(gap: LayerGap): void;
}

/**
 * A message of a durable channel that is reserved for one reader until it is acknowledged.
 *
 * The message stays in the layer. If the lease is neither settled nor renewed within `durationMs`,
 * another reader gets the message. Each method resolves with false if the lease is lost: another
 * reader has or had the message, and the call changes nothing.
 */
export interface Lease {
  /** The reserved message. */
  readonly message: LayerMessage;
  /** The number of this attempt, from 1: the layer counts leases that ended without {@linkcode ack}. */
  readonly attempt: number;
  /** How long the lease holds after its start or last renewal, in milliseconds. */
  readonly durationMs: number;
  /**
   * Removes the message after it was handled. Retries while the layer is unreachable and the lease
   * holds.
   *
   * @throws {LayerError} `UNAVAILABLE` if it is unknown whether the message was removed, or `CLOSED`.
   */
  ack(): Promise<boolean>;
  /**
   * Extends the lease to `durationMs` from now, and records `attempts`: those so far, including this one.
   * @default attempts {attempt}
   *
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  renew(options?: { readonly attempts?: number }): Promise<boolean>;
  /**
   * Returns the message to its place in the channel at once. A reader that did not start to handle it
   * passes `attempt - 1` as `attempts`.
   *
   * @throws {LayerError} `UNAVAILABLE` (the message returns when the lease ends), or `CLOSED`.
   */
  release(options?: { readonly attempts?: number }): Promise<boolean>;
}

/**
 * The outcome of a message to a group: three counts of members, and one of processes.
 *
 * @internal
 */
export interface GroupSendResult {
  /** Members that took the message: members of this process, and durable ones. */
  readonly delivered: number;
  /** Members whose channel holds the message until a reader comes. */
  readonly queued: number;
  /** Members that did not get it, because they were full or a limit was reached. */
  readonly dropped: number;
  /** Other processes that received it; `undefined` if the driver cannot know. */
  readonly processes: number | undefined;
}

/** @internal Options of {@linkcode ChannelLayer.groupSend}. */
export type GroupSendOptions = NonNullable<Parameters<ChannelLayer["groupSend"]>[2]>;

/**
 * Carries messages between channels, in one process or across many.
 *
 * A channel is the mailbox of one reader; a group is a named set of channels. Every driver keeps the
 * guarantees of `docs/layer_spec.md`, and `testChannelLayer()` checks them: delivery at most once, or
 * at least once with {@linkcode ChannelLayer.lease}; messages from one sender to one channel stay in
 * order; memory is bounded; every drop is counted.
 */
export interface ChannelLayer extends AsyncDisposable {
  /** Capabilities beyond `send` and `receive`: `groups`, `flush`, `processes`. */
  readonly extensions: readonly string[];
  /** Counts of messages and drops since the layer was created. Each read returns a new object. */
  readonly stats: {
    /** Channels in this process. */
    readonly channels: number;
    /** Groups with members in this process. */
    readonly groups: number;
    /** Approximate number of characters in messages that wait in this process. */
    readonly waitingSize: number;
    /** Successful calls of `send()` and `groupSend()`. */
    readonly sent: number;
    /** Messages that a mailbox or a reader took, counted per member of a group. */
    readonly delivered: number;
    /** Messages that had to wait for a reader, counted per member of a group. */
    readonly queued: number;
    /** Messages that were not delivered, by reason: see `docs/layer_spec.md`, section 5. */
    readonly dropped: Readonly<
      Record<"full" | "expired" | "nobody" | "gap" | "limit" | "malformed", number>
    >;
    /** How often this process was disconnected and may have missed messages. */
    readonly gaps: number;
  };
  /** Returns a new name for a channel of this process. */
  newChannel(prefix?: string): string;
  /**
   * Delivers every message for `channel` to `mailbox`. Returns a function that detaches it; a local
   * channel then leaves its groups.
   *
   * @throws {TypeError} The channel has a reader.
   * @throws {LayerError} `LIMIT_REACHED`, or `CLOSED`.
   */
  attach(channel: string, mailbox: Mailbox): () => void;
  /**
   * Sends to one channel.
   *
   * @throws {TypeError} The name is invalid, or the message is not plain data.
   * @throws {LayerError} `CHANNEL_FULL`, `MESSAGE_TOO_LARGE`, `LIMIT_REACHED`, `UNAVAILABLE`, or
   * `CLOSED`.
   */
  send(channel: string, message: LayerMessage): Promise<void>;
  /**
   * Waits for the next message of a channel without a mailbox, and removes it. Rejects when `signal`
   * aborts, unless a message is already being handed over: then it resolves with that message.
   *
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  receive(channel: string, options?: { signal?: AbortSignal }): Promise<LayerMessage>;
  /**
   * Waits for the next message of a durable channel without a mailbox, and reserves it. The message
   * leaves the layer when it is acknowledged. Rejects when `signal` aborts.
   *
   * @throws {TypeError} The channel belongs to a process.
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  lease(channel: string, options?: { signal?: AbortSignal }): Promise<Lease>;
  /**
   * Adds a channel to a group. Adding it again has no further effect.
   *
   * @throws {LayerError} `LIMIT_REACHED`, `UNAVAILABLE`, or `CLOSED`; the channel's groups are then
   * unchanged.
   */
  groupAdd(group: string, channel: string): Promise<void>;
  /** Removes a channel from a group. Has no effect if it is not a member. */
  groupDiscard(group: string, channel: string): Promise<void>;
  /**
   * Sends to every channel of a group. Never rejects because a channel is full.
   *
   * @throws {LayerError} `MESSAGE_TOO_LARGE`, `LIMIT_REACHED`, `UNAVAILABLE`, or `CLOSED`.
   */
  groupSend(
    group: string,
    message: LayerMessage,
    options?: {
      /** A member that does not receive the message, such as the sender. */
      readonly except?: string | undefined;
      /** Whether to send to members of this process only. @default {false} */
      readonly local?: boolean;
    },
  ): Promise<GroupSendResult>;
  /** Calls `callback` after each gap. Returns a function that removes it. */
  onGap(callback: (gap: LayerGap) => void): () => void;
  /**
   * Resolves if messages can be sent now.
   *
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  check(): Promise<void>;
  /** Deletes all channels, groups and messages; mailboxes stay attached. For tests. */
  flush(): Promise<void>;
  /** Releases all resources. Pending `receive()` calls reject with `CLOSED`. */
  close(): Promise<void>;
}
