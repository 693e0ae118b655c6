import {
  type ChannelLayer,
  LayerError,
  type LayerGap,
  type Lease,
  type Mailbox,
  MemoryChannelLayer,
} from "../../layers/mod.ts";
import type { GroupSendOptions, GroupSendResult } from "../../layers/channel_layer.ts";
import { type InternalLayer, INTERNALS, internalsOf } from "../../core/internals.ts";
import type { LayerMessage } from "../../core/consumer.ts";

/**
 * A channel layer with faults that a test switches on and off. Without a fault it forwards to the
 * layer inside.
 *
 * @example
 * ```ts
 * import { FaultyLayer } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * const layer = new FaultyLayer();
 * layer.fault = "unavailable";
 * await assert.rejects(layer.send("news", { type: "hello" }), { code: "UNAVAILABLE" });
 * layer.fault = undefined;
 * await layer.send("news", { type: "hello" });
 * ```
 */
export class FaultyLayer implements ChannelLayer {
  /** The fault of the calls from now on; none if undefined. */
  fault: "unavailable" | "full" | "drop" | "slow" | undefined;
  readonly #inner: ChannelLayer;
  readonly #mailboxes = new Set<Mailbox>();
  readonly #gapListeners = new Set<(gap: LayerGap) => void>();
  #held: (() => void)[] = [];

  /** Wraps a layer. */
  constructor(inner: ChannelLayer = new MemoryChannelLayer()) {
    this.#inner = inner;
  }

  get extensions(): readonly string[] {
    return this.#inner.extensions;
  }

  get stats(): ChannelLayer["stats"] {
    return this.#inner.stats;
  }

  /** Number of calls that wait for {@linkcode release}. */
  get held(): number {
    return this.#held.length;
  }

  /** Releases all calls held by `slow`. */
  release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  /** Reports a gap to every mailbox and listener, as a layer does when it reconnects. */
  tellGap(gap: LayerGap): void {
    for (const mailbox of [...this.#mailboxes]) mailbox.gap?.(gap);
    for (const callback of [...this.#gapListeners]) callback(gap);
  }

  newChannel(prefix?: string): string {
    return this.#inner.newChannel(prefix);
  }

  /** @ignore For Sluice's own parts: the same faults. */
  [INTERNALS](): InternalLayer {
    const inner = internalsOf(this.#inner);
    return {
      newChannel: (prefix) => inner.newChannel(prefix),
      attach: (channel, mailbox) => this.#attach(inner, channel, mailbox),
      send: (channel, message) => this.#send(inner, channel, message),
      groupAdd: async (group, channel) => {
        await this.#pass();
        await inner.groupAdd(group, channel);
      },
      groupSend: (group, message, options) =>
        this.#groupSend(() => inner.groupSend(group, message, options)),
    };
  }

  attach(channel: string, mailbox: Mailbox): () => void {
    return this.#attach(this.#inner, channel, mailbox);
  }

  send(channel: string, message: LayerMessage): Promise<void> {
    return this.#send(this.#inner, channel, message);
  }

  async receive(channel: string, options?: { signal?: AbortSignal }): Promise<LayerMessage> {
    await this.#pass();
    return await this.#inner.receive(channel, options);
  }

  async lease(channel: string, options?: { signal?: AbortSignal }): Promise<Lease> {
    await this.#pass();
    const lease = await this.#inner.lease(channel, options);
    return {
      message: lease.message,
      durationMs: lease.durationMs,
      get attempt() {
        return lease.attempt;
      },
      ack: () => this.#pass().then(() => lease.ack()),
      renew: (options) => this.#pass().then(() => lease.renew(options)),
      release: (options) => this.#pass().then(() => lease.release(options)),
    };
  }

  async groupAdd(group: string, channel: string): Promise<void> {
    await this.#pass();
    await this.#inner.groupAdd(group, channel);
  }

  async groupDiscard(group: string, channel: string): Promise<void> {
    await this.#pass();
    await this.#inner.groupDiscard(group, channel);
  }

  groupSend(
    group: string,
    message: LayerMessage,
    options?: GroupSendOptions,
  ): Promise<GroupSendResult> {
    return this.#groupSend(() => this.#inner.groupSend(group, message, options));
  }

  onGap(callback: (gap: LayerGap) => void): () => void {
    const leave = this.#inner.onGap(callback);
    this.#gapListeners.add(callback);
    return () => {
      this.#gapListeners.delete(callback);
      leave();
    };
  }

  async check(): Promise<void> {
    await this.#pass();
    await this.#inner.check();
  }

  flush(): Promise<void> {
    return this.#inner.flush();
  }

  close(): Promise<void> {
    this.release();
    return this.#inner.close();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #attach(inner: Pick<InternalLayer, "attach">, channel: string, mailbox: Mailbox): () => void {
    const leave = inner.attach(channel, mailbox as Parameters<InternalLayer["attach"]>[1]);
    this.#mailboxes.add(mailbox);
    return () => {
      this.#mailboxes.delete(mailbox);
      leave();
    };
  }

  async #send(
    inner: Pick<InternalLayer, "send">,
    channel: string,
    message: LayerMessage,
  ): Promise<void> {
    await this.#pass();
    if (this.fault === "full") {
      throw new LayerError(
        "CHANNEL_FULL",
        `Cannot send to "${channel}": full by order of the test`,
      );
    }
    if (this.fault !== "drop") await inner.send(channel, message);
  }

  async #groupSend<R>(send: () => Promise<R>): Promise<R | GroupSendResult> {
    await this.#pass();
    if (this.fault !== "drop" && this.fault !== "full") return await send();
    const lost = { delivered: 0, queued: 0, dropped: 0, processes: 0 };
    return this.fault === "full" ? { ...lost, dropped: 1 } : lost;
  }

  /** Holds a call while the fault is `slow`, and rejects it while the fault is `unavailable`. */
  async #pass(): Promise<void> {
    if (this.fault === "slow") await new Promise<void>((go) => this.#held.push(go));
    if (this.fault !== "unavailable") return;
    throw new LayerError("UNAVAILABLE", "The layer is unavailable by order of the test");
  }
}
