import { internalsOf } from "../core/internals.ts";
import type { Clock } from "../core/clock.ts";
import type { LayerMessage } from "../core/consumer.ts";
import { within } from "../core/within.ts";

/**
 * The part of a channel layer that messages between processes need. Every `ChannelLayer` has it.
 *
 * @internal
 */
export interface ProcessLayer {
  /** Returns a new channel name of this process. */
  newChannel(prefix?: string): string;
  /** Delivers the messages of a channel. Returns a function that stops it. */
  attach(channel: string, mailbox: ProcessMailbox): () => void;
  /** Sends to one channel. */
  send(channel: string, message: LayerMessage): Promise<void>;
  /** Adds a channel to a group. */
  groupAdd(group: string, channel: string): Promise<void>;
  /** Sends to every channel of a group, except one. */
  groupSend(
    group: string,
    message: LayerMessage,
    options?: { except?: string },
  ): Promise<{ readonly processes: number | undefined }>;
}

/** Receives the messages of other processes. @internal */
export interface ProcessMailbox {
  /** Called for each message. */
  deliver(message: LayerMessage): boolean;
  /** Called when messages arrive again after some may have been missed. */
  gap?(): void;
}

/** Options of {@linkcode ProcessGroup}. */
export interface ProcessGroupOptions {
  readonly group: string;
  /** The type of the messages. */
  readonly type: string;
  readonly clock: Clock;
  /** Time limit for a call of the layer, in milliseconds. @default {3_000} */
  readonly callTimeoutMs?: number;
}

/** The pause before a failed {@linkcode ProcessGroup.joinSoon} is retried, in milliseconds. */
const RETRY_MS = 1_000;

/** The membership of this process in a group of processes. Every call has a time limit. */
export class ProcessGroup {
  /** Identifies this process to the others. */
  readonly channel: string;
  readonly #layer: ProcessLayer;
  readonly #group: string;
  readonly #type: string;
  readonly #limit: { readonly clock: Clock; readonly ms: number };
  #leave: (() => void) | undefined;
  #joining: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #isMember = false;

  constructor(layer: ProcessLayer, options: ProcessGroupOptions) {
    const { group, type, clock, callTimeoutMs = 3_000 } = options;
    this.#layer = internalsOf(layer);
    this.#group = group;
    this.#type = type;
    this.#limit = { clock, ms: callTimeoutMs };
    this.channel = this.#layer.newChannel(type);
  }

  /** Whether messages of the others arrive. */
  get isMember(): boolean {
    return this.#isMember;
  }

  /** Starts to listen. Rejects if the layer cannot be reached; call {@linkcode rejoin} then. */
  async join(mailbox: ProcessMailbox): Promise<void> {
    this.#leave = this.#layer.attach(this.channel, mailbox);
    await this.rejoin();
  }

  /**
   * Does the same as {@linkcode join}, and retries every second until it succeeds. Returns the error of
   * the first attempt, if it failed; `gap` is called when a later one has succeeded. No effect if
   * called before.
   */
  async joinSoon(mailbox: ProcessMailbox): Promise<Error | undefined> {
    if (this.#leave !== undefined) return undefined;
    try {
      await this.join(mailbox);
      return undefined;
    } catch (error) {
      this.#retryLater(mailbox);
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Retries a failed {@linkcode join}. Overlapping calls share one attempt. */
  rejoin(): Promise<void> {
    return this.#joining ??= this.#join().finally(() => this.#joining = undefined);
  }

  /** Sends a message to all others, and returns how many received it, if known. */
  async sendAll(data: unknown): Promise<number | undefined> {
    const options = { except: this.channel };
    const sending = this.#layer.groupSend(this.#group, this.#message(data), options);
    return (await within(sending, this.#limit)).processes;
  }

  /** Sends a message to one process. Rejects as the layer does; a process that has ended is no error. */
  async sendTo(process: string, data: unknown): Promise<void> {
    await within(this.#layer.send(process, this.#message(data)), this.#limit);
  }

  /** Stops listening. */
  leave(): void {
    this.#cancel?.();
    this.#leave?.();
    this.#leave = undefined;
  }

  #retryLater(mailbox: ProcessMailbox): void {
    if (this.#leave === undefined) return;
    this.#cancel = this.#limit.clock.after(RETRY_MS, () => {
      this.rejoin().then(() => {
        if (this.#leave !== undefined) mailbox.gap?.(); // Messages may have been missed.
      }, () => this.#retryLater(mailbox)).catch(() => {});
    });
  }

  async #join(): Promise<void> {
    await within(this.#layer.groupAdd(this.#group, this.channel), this.#limit);
    this.#isMember = this.#leave !== undefined;
  }

  #message(data: unknown): LayerMessage {
    return { type: this.#type, data };
  }
}
