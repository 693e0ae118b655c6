import { internalsOf } from "../internals.ts";
import type { Clock, LayerMessage } from "../scope.ts";
import { within } from "./within.ts";

/** What processes need of a channel layer to talk over it. Every `ChannelLayer` has it. */
export interface ProcessLayer {
  newChannel(prefix?: string): string;
  attach(channel: string, mailbox: ProcessMailbox): () => void;
  send(channel: string, message: LayerMessage): Promise<void>;
  groupAdd(group: string, channel: string): Promise<void>;
  groupSend(
    group: string,
    message: LayerMessage,
    options?: { except?: string },
  ): Promise<{ readonly processes: number | undefined }>;
}

/** Takes what other processes say. */
export interface ProcessMailbox {
  deliver(message: LayerMessage): boolean;
  /** Called when something may have been missed, and messages arrive again. */
  gap?(): void;
}

/** What a {@linkcode ProcessGroup} works with. */
export interface ProcessGroupOptions {
  readonly group: string;
  /** The type of the messages. */
  readonly type: string;
  readonly clock: Clock;
  /** How long a call of the layer may take, in milliseconds. @default {3_000} */
  readonly callTimeoutMs?: number;
}

/** This process among those that talk in a group of a channel layer. Every call has a time limit. */
export class ProcessGroup {
  /** Names this process to the others. */
  readonly channel: string;
  readonly #layer: ProcessLayer;
  readonly #group: string;
  readonly #type: string;
  readonly #limit: { readonly clock: Clock; readonly ms: number };
  #leave: (() => void) | undefined;
  #joining: Promise<void> | undefined;
  #isMember = false;

  constructor(layer: ProcessLayer, options: ProcessGroupOptions) {
    const { group, type, clock, callTimeoutMs = 3_000 } = options;
    this.#layer = internalsOf(layer);
    this.#group = group;
    this.#type = type;
    this.#limit = { clock, ms: callTimeoutMs };
    this.channel = this.#layer.newChannel(type);
  }

  /** Whether the others are heard. */
  get isMember(): boolean {
    return this.#isMember;
  }

  /** Listens from now on. Rejects if the layer cannot be reached: then {@linkcode rejoin}. */
  async join(mailbox: ProcessMailbox): Promise<void> {
    this.#leave = this.#layer.attach(this.channel, mailbox);
    await this.rejoin();
  }

  /** Tries again what failed of {@linkcode join}. Callers that overlap share one attempt. */
  rejoin(): Promise<void> {
    return this.#joining ??= this.#join().finally(() => this.#joining = undefined);
  }

  /** Tells all others, and returns how many got it, if that is known. */
  async sendAll(data: unknown): Promise<number | undefined> {
    const options = { except: this.channel };
    const sending = this.#layer.groupSend(this.#group, this.#message(data), options);
    return (await within(sending, this.#limit)).processes;
  }

  /** Tells one. Rejects as the layer does; that the process may be gone is no error. */
  async sendTo(process: string, data: unknown): Promise<void> {
    await within(this.#layer.send(process, this.#message(data)), this.#limit);
  }

  /** Listens no more. */
  leave(): void {
    this.#leave?.();
    this.#leave = undefined;
  }

  async #join(): Promise<void> {
    await within(this.#layer.groupAdd(this.#group, this.channel), this.#limit);
    this.#isMember = this.#leave !== undefined;
  }

  #message(data: unknown): LayerMessage {
    return { type: this.#type, data };
  }
}
