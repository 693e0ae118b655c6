import type { Clock } from "../../core/clock.ts";
import type { LayerMessage } from "../../core/consumer.ts";
import { internalsOf } from "../../core/internals.ts";
import type { Log } from "../../core/log.ts";
import { within } from "../../core/within.ts";
import type { GroupLayer } from "../revocation/revocation_broadcast.ts";
import { type EndMessage, readEndMessage } from "./end_message.ts";

/** The type of the messages. */
const TYPE = "sluice.ended";

/** How long to wait for the layer, and until the next attempt, in milliseconds. */
const JOIN_MS = 1_000;

/** The receiver of the messages of other processes. */
export interface EndTarget {
  /** Applies an end. */
  apply(message: EndMessage): void;
  /** Checks all sessions once, because messages may have been missed. Never rejects. */
  revalidate(): Promise<void>;
}

/** Options of {@linkcode EndBroadcast}. */
export interface EndBroadcastOptions {
  /** The group of all processes. */
  readonly group: string;
  readonly target: EndTarget;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Carries ends of sessions between processes over a channel layer.
 *
 * *Security*: unlike those of {@linkcode RevocationBroadcast}, the messages are trusted, because there
 * may be no database to confirm them. A forged one ends sockets, but admits no client.
 */
export class EndBroadcast {
  readonly #layer: GroupLayer;
  readonly #options: EndBroadcastOptions;
  #channel: string | undefined;
  #leave: (() => void) | undefined;
  #joining: Promise<void> | undefined;
  #cancel: (() => void) | undefined;

  constructor(layer: GroupLayer, options: EndBroadcastOptions) {
    this.#layer = internalsOf(layer);
    this.#options = options;
  }

  /**
   * Joins the group of all processes at the first call, and waits up to a second for it. Never rejects:
   * if the layer cannot be reached, it is tried again every second, and then all sessions are checked.
   */
  join(): Promise<void> {
    return this.#joining ??= this.#join();
  }

  /** Sends a message to all other processes. Rejects if the layer cannot be reached. */
  async send(data: EndMessage): Promise<void> {
    const options = this.#channel === undefined ? {} : { except: this.#channel };
    await this.#layer.groupSend(this.#options.group, { type: TYPE, data }, options);
  }

  /** Leaves the group. */
  leave(): void {
    this.#cancel?.();
    this.#leave?.();
    this.#cancel = this.#leave = this.#channel = undefined;
  }

  async #join(): Promise<void> {
    const channel = this.#channel = this.#layer.newChannel(TYPE);
    this.#leave = this.#layer.attach(channel, {
      deliver: (message) => this.#hear(message),
      gap: () => {
        this.#options.target.revalidate().catch(() => {});
      },
    });
    const error = await this.#add(channel);
    if (error === undefined) return;
    const { log } = this.#options;
    log.warn("ends of sessions cannot be received over the channel layer, retrying", { error });
    this.#retryLater(channel);
  }

  /** Returns the error if the group cannot be joined. */
  async #add(channel: string): Promise<unknown> {
    const { clock, group } = this.#options;
    try {
      await within(this.#layer.groupAdd(group, channel), { clock, ms: JOIN_MS });
      return undefined;
    } catch (error) {
      return error ?? new Error("unknown");
    }
  }

  #retryLater(channel: string): void {
    const { clock, target } = this.#options;
    this.#cancel = clock.after(JOIN_MS, () => {
      this.#add(channel).then((error) => {
        if (this.#channel !== channel) return;
        if (error !== undefined) return this.#retryLater(channel);
        return target.revalidate(); // Messages may have been missed.
      }).catch(() => {});
    });
  }

  #hear({ type, data }: LayerMessage): boolean {
    const message = type === TYPE ? readEndMessage(data) : undefined;
    if (message !== undefined) this.#options.target.apply(message);
    return true;
  }
}
