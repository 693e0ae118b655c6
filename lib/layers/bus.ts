import type { LayerGap } from "./channel_layer.ts";
import type { QueueSource } from "./durable_lease.ts";
import type { LocalChannels, LocalDelivery } from "./local_channels.ts";
import type { PlainMessage } from "./plain_message.ts";

/** What a driver brings: how messages get from process to process, and where durable ones are kept. */
export interface Bus {
  /** How long a reader of a durable channel trusts that it will be told, in milliseconds. */
  readonly lookMs: number;
  /**
   * Resolves when the bus can be used. Begins to connect where that has not been done.
   *
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  ready(): Promise<void>;
  /** A group has its first member here: its messages are to be received, with {@linkcode noted}. */
  groupBegan(group: string): void;
  groupEnded(group: string): void;
  /**
   * Resolves when every message from now on is received, to the group and to this process.
   *
   * @throws {LayerError} `UNAVAILABLE`.
   */
  noted(group: string): Promise<void>;
  /** Sends to a group in all processes, this one too. @throws {LayerError} */
  publish(group: string, except: string | undefined, plain: PlainMessage): Promise<Published>;
  /**
   * Sends to a channel of another process, perhaps as to a member of a group. Returns false where it
   * is known to be gone, which is counted.
   *
   * @throws {LayerError}
   */
  sendThere(to: { channel: string; group?: string }, plain: PlainMessage): Promise<boolean>;
  /** Adds to a durable channel. @throws {LayerError} `CHANNEL_FULL`, or another. */
  push(channel: string, plain: PlainMessage): Promise<void>;
  /** Where the messages of a durable channel are. */
  sourceOf(channel: string): QueueSource;
  /** Reads a frame of a durable channel. @throws {Error} It is malformed. */
  decode(frame: string, channel: string): PlainMessage;
  /** A durable channel has a reader here: `ring` says that something may be in it. */
  opened?(channel: string, ring: () => void): void;
  closed?(channel: string): void;
  /** Keeps a member that lives in no process, or in another one; in order with its removal. @throws {LayerError} */
  addMember(group: string, channel: string): Promise<void>;
  removeMember(group: string, channel: string): Promise<void>;
  /** Resolves when everything that was sent to this process before has come. @throws {LayerError} */
  caughtUp(): Promise<void>;
  /** @throws {LayerError} `UNAVAILABLE`, or `CLOSED`. */
  check(): Promise<void>;
  /** Forgets everything durable. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** What became of a message to a group. */
export interface Published {
  readonly here: LocalDelivery;
  readonly processes: number | undefined;
  /** Members that the bus keeps; they have not got it yet. */
  readonly members: readonly string[];
}

/** What a {@linkcode Bus} works with. */
export interface BusContext {
  readonly local: LocalChannels;
  /** To a group, from another process. */
  receiveForGroup(group: string, except: string | undefined, plain: PlainMessage): void;
  /** To a channel of this process, from another one; perhaps as to a member of a group. */
  receiveDirect(channel: string, group: string | undefined, plain: PlainMessage): void;
  /** Something came that is no message. */
  malformed(): void;
  /** This process was cut off, and is back. */
  gap(gap: LayerGap): void;
}
