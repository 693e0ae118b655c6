import { internalsOf } from "../internals.ts";
import type { LayerMessage } from "../scope.ts";

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

/** This process among those that talk in a group of a channel layer. */
export class ProcessGroup {
  /** Names this process to the others. */
  readonly channel: string;
  readonly #layer: ProcessLayer;
  readonly #group: string;
  readonly #type: string;
  #leave: (() => void) | undefined;
  #isMember = false;

  /** @param type That of the messages. */
  constructor(layer: ProcessLayer, group: string, type: string) {
    this.#layer = internalsOf(layer);
    this.#group = group;
    this.#type = type;
    this.channel = this.#layer.newChannel(type);
  }

  /** Whether the others are heard. */
  get isMember(): boolean {
    return this.#isMember;
  }

  /** Listens from now on. Rejects where the layer cannot be reached: then {@linkcode rejoin}. */
  async join(mailbox: ProcessMailbox): Promise<void> {
    this.#leave = this.#layer.attach(this.channel, mailbox);
    await this.rejoin();
  }

  /** Tries again what failed of {@linkcode join}. */
  async rejoin(): Promise<void> {
    await this.#layer.groupAdd(this.#group, this.channel);
    this.#isMember = true;
  }

  /** Tells all others, and returns how many got it, where that is known. */
  async sendAll(data: unknown): Promise<number | undefined> {
    const options = { except: this.channel };
    const { processes } = await this.#layer.groupSend(this.#group, this.#message(data), options);
    return processes;
  }

  /** Tells one. That it may be gone is no error. */
  sendTo(process: string, data: unknown): void {
    this.#layer.send(process, this.#message(data)).catch(() => {});
  }

  /** Listens no more. */
  leave(): void {
    this.#leave?.();
  }

  #message(data: unknown): LayerMessage {
    return { type: this.#type, data };
  }
}
