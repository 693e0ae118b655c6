import type { LayerGap } from "../channel_layer.ts";
import type { QueueSource } from "../durable/durable_lease.ts";
import type { LocalChannels } from "../local/local_channels.ts";
import type { LocalDelivery } from "../local/local_channel.ts";
import type { PlainMessage } from "../input.ts";

/** What a driver implements: transport between processes, and storage for durable channels. */
export interface Bus {
  /** How often a durable reader polls without a notification, in milliseconds. */
  readonly pollMs: number;
  /**
   * Resolves when the bus is usable. Starts connecting if it is not connected yet.
   *
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  ready(): Promise<void>;
  /** Called when a group gets its first local member: subscribe now. {@linkcode subscribed} confirms it. */
  onFirstMember(group: string): void;
  /** Called when a group has lost its last local member. */
  onLastMember(group: string): void;
  /**
   * Resolves when all later messages to the group and to this process will be received.
   *
   * @throws {LayerError} `UNAVAILABLE`.
   */
  subscribed(group: string): Promise<void>;
  /** Sends to a group in all processes, including this one. @throws {LayerError} */
  publish(group: string, except: string | undefined, plain: PlainMessage): Promise<Published>;
  /**
   * Sends to a channel of another process; `group` is set if it receives as a member of that group.
   * Returns false if the process is known to be gone, and counts the drop.
   *
   * @throws {LayerError}
   */
  sendRemote(to: { channel: string; group?: string }, plain: PlainMessage): Promise<boolean>;
  /** Adds to a durable channel. @throws {LayerError} `CHANNEL_FULL`, or another. */
  push(channel: string, plain: PlainMessage): Promise<void>;
  /** Returns the message store of a durable channel. */
  sourceOf(channel: string): QueueSource;
  /** Decodes a frame of a durable channel. @throws {Error} The frame is malformed. */
  decode(frame: string, channel: string): PlainMessage;
  /** Called when a durable channel gets a local reader. Call `notify` when it may have messages. */
  opened?(channel: string, notify: () => void): void;
  /** Called when a durable channel has no local reader any more. */
  closed?(channel: string): void;
  /** Stores a durable member, or one of another process. Ordered with removals. @throws {LayerError} */
  addMember(group: string, channel: string): Promise<void>;
  removeMember(group: string, channel: string): Promise<void>;
  /** Resolves when all messages sent to this process before the call have arrived. @throws {LayerError} */
  flushInbound(): Promise<void>;
  /** @throws {LayerError} `UNAVAILABLE`, or `CLOSED`. */
  check(): Promise<void>;
  /** Deletes all durable messages and members. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** The outcome of a message to a group. */
export interface Published {
  readonly here: LocalDelivery;
  readonly processes: number | undefined;
  /** Members stored on the bus. The message has not been sent to them yet. */
  readonly members: readonly string[];
}

/** What a {@linkcode Bus} is given. */
export interface BusContext {
  readonly local: LocalChannels;
  /** Takes a message to a group from another process. */
  receiveForGroup(group: string, except: string | undefined, plain: PlainMessage): void;
  /** Takes a message from another process to a local channel, or to it as a member of `group`. */
  receiveDirect(channel: string, group: string | undefined, plain: PlainMessage): void;
  /** Counts input that is not a valid message. */
  malformed(): void;
  /** Reports that this process was disconnected and has reconnected. */
  gap(gap: LayerGap): void;
}
