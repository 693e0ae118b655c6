import { type InternalLayer, INTERNALS } from "../core/internals.ts";
import { attempt } from "../core/promises.ts";
import type { LayerMessage } from "../core/consumer.ts";
import type {
  ChannelLayer,
  GroupSendOptions,
  GroupSendResult,
  Lease,
  Mailbox,
} from "./channel_layer.ts";
import { internalDoor } from "./internal_door.ts";
import { assertTaken, closedError } from "./layer_error.ts";
import { type ChannelLayerOptions, type LayerSettings, layerSettings } from "./layer_options.ts";
import type { LayerStats } from "./layer_stats.ts";
import { LocalChannels } from "./local/local_channels.ts";
import { assertChannelName, assertDurableName, assertGroupName, copyMessage } from "./input.ts";

/**
 * The channel layer of one process. Messages never leave the process and do not outlive it.
 *
 * The cost of a message to a group depends only on the number of that group's members.
 *
 * @example
 * ```ts
 * import { MemoryChannelLayer } from "@sluice/sluice";
 * import assert from "node:assert/strict";
 *
 * const layer = new MemoryChannelLayer();
 * await layer.groupAdd("news", "reader");
 * const { delivered, queued, dropped } = await layer.groupSend("news", { type: "hello" });
 * assert.deepEqual([delivered, queued, dropped], [0, 1, 0]); // It has no reader yet.
 * assert.deepEqual(await layer.receive("reader"), { type: "hello" });
 * ```
 */
export class MemoryChannelLayer implements ChannelLayer {
  readonly extensions: readonly string[] = ["groups", "flush"];
  readonly #settings: LayerSettings;
  readonly #local: LocalChannels;
  #closed = false;

  /** Creates an empty layer. */
  constructor(options: ChannelLayerOptions = {}) {
    this.#settings = layerSettings(options);
    this.#local = new LocalChannels(this.#settings);
  }

  get stats(): LayerStats {
    return this.#local.stats;
  }

  newChannel(prefix = "specific"): string {
    return this.#local.names.next(prefix);
  }

  /** @ignore For internal use. */
  [INTERNALS](): InternalLayer {
    return internalDoor({
      names: this.#local.names,
      attach: (channel, mailbox) => this.#local.attach(channel, mailbox),
      send: (...args) => attempt(() => this.#send(...args)),
      groupAdd: (...args) =>
        attempt(() => {
          this.#local.groupAdd(...args);
        }),
      groupSend: (...args) => attempt(() => this.#groupSend(...args)),
    });
  }

  attach(channel: string, mailbox: Mailbox): () => void {
    assertChannelName(channel);
    return this.#local.attach(channel, mailbox);
  }

  send(channel: string, message: LayerMessage): Promise<void> {
    return attempt(() => {
      assertChannelName(channel);
      this.#send(channel, message);
    });
  }

  receive(channel: string, options: { signal?: AbortSignal } = {}): Promise<LayerMessage> {
    return attempt(() => {
      assertChannelName(channel);
      return this.#local.receive(channel, options.signal);
    });
  }

  lease(channel: string, options: { signal?: AbortSignal } = {}): Promise<Lease> {
    return attempt(() => {
      assertDurableName(channel);
      return this.#local.lease(channel, options.signal);
    });
  }

  groupAdd(group: string, channel: string): Promise<void> {
    return attempt(() => {
      assertGroupName(group);
      assertChannelName(channel);
      this.#local.groupAdd(group, channel);
    });
  }

  groupDiscard(group: string, channel: string): Promise<void> {
    return attempt(() => {
      assertGroupName(group);
      assertChannelName(channel);
      this.#assertOpen();
      this.#local.groupDiscard(group, channel);
    });
  }

  groupSend(
    group: string,
    message: LayerMessage,
    options: GroupSendOptions = {},
  ): Promise<GroupSendResult> {
    // Like `attempt()`, without a closure for each message.
    try {
      assertGroupName(group);
      return Promise.resolve(this.#groupSend(group, message, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Never calls `callback`: one process has no gaps. */
  onGap(): () => void {
    return () => {};
  }

  check(): Promise<void> {
    return attempt(() => this.#assertOpen());
  }

  flush(): Promise<void> {
    return attempt(() => {
      this.#assertOpen();
      this.#local.flush();
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#local.close();
    return Promise.resolve();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #send(channel: string, message: LayerMessage): void {
    const plain = copyMessage(message, this.#settings.maxMessageBytes);
    assertTaken(channel, this.#local.deliver(channel, plain));
    this.#local.counters.sent++;
  }

  #groupSend(
    group: string,
    message: LayerMessage,
    options: GroupSendOptions = {},
  ): GroupSendResult {
    this.#assertOpen();
    const plain = copyMessage(message, this.#settings.maxMessageBytes);
    this.#local.counters.sent++;
    return { ...this.#local.groups.deliver(group, plain, options.except), processes: 0 };
  }

  #assertOpen(): void {
    if (this.#closed) throw closedError();
  }
}
