import type { LayerMessage } from "../../core/consumer.ts";
import { internalsOf } from "../../core/internals.ts";
import type { Log } from "../../core/log.ts";
import type { GroupLayer } from "../revocation/revocation_broadcast.ts";
import { type EndMessage, readEndMessage } from "./end_message.ts";

/** The type of the messages. */
const TYPE = "sluice.ended";

/** The receiver of the messages of other processes. */
export interface EndTarget {
  /** Applies an end. */
  apply(message: EndMessage): void;
  /** Checks all sessions once, because messages may have been missed. Never rejects. */
  revalidate(): Promise<void>;
}

/**
 * Carries ends of sessions between processes over a channel layer.
 *
 * *Security*: unlike those of {@linkcode RevocationBroadcast}, the messages are trusted, because there
 * may be no database to confirm them. A forged one ends sockets, but admits no client.
 */
export class EndBroadcast {
  readonly #layer: GroupLayer;
  readonly #group: string;
  readonly #target: EndTarget;
  readonly #log: Log;
  #channel: string | undefined;
  #leave: (() => void) | undefined;
  #joining: Promise<void> | undefined;

  constructor(layer: GroupLayer, options: { group: string; target: EndTarget; log: Log }) {
    this.#layer = internalsOf(layer);
    this.#group = options.group;
    this.#target = options.target;
    this.#log = options.log;
  }

  /**
   * Joins the group of all processes, at the first call or after a failed one. Never rejects: if the
   * layer cannot be reached, the next call tries again.
   */
  join(): Promise<void> {
    return this.#joining ??= this.#join();
  }

  /** Sends a message to all other processes. Rejects if the layer cannot be reached. */
  async send(data: EndMessage): Promise<void> {
    const options = this.#channel === undefined ? {} : { except: this.#channel };
    await this.#layer.groupSend(this.#group, { type: TYPE, data }, options);
  }

  /** Leaves the group. */
  leave(): void {
    this.#leave?.();
    this.#leave = this.#channel = undefined;
  }

  async #join(): Promise<void> {
    const channel = this.#channel ??= this.#layer.newChannel(TYPE);
    this.#leave ??= this.#layer.attach(channel, {
      deliver: (message) => this.#hear(message),
      gap: () => {
        this.#target.revalidate().catch(() => {});
      },
    });
    try {
      await this.#layer.groupAdd(this.#group, channel);
    } catch (error) {
      this.#joining = undefined;
      this.#log.warn("ends of sessions cannot be received over the channel layer", { error });
    }
  }

  #hear({ type, data }: LayerMessage): boolean {
    const message = type === TYPE ? readEndMessage(data) : undefined;
    if (message !== undefined) this.#target.apply(message);
    return true;
  }
}
