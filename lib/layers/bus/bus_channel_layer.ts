import { type InternalLayer, INTERNALS } from "../../core/internals.ts";
import type { LayerMessage } from "../../core/consumer.ts";
import { abortable } from "../../core/promises.ts";
import type { Bus, BusContext } from "./bus.ts";
import { ownerOf } from "../channel_names.ts";
import type {
  ChannelLayer,
  GroupSendOptions,
  GroupSendResult,
  LayerGap,
  Lease,
  Mailbox,
} from "../channel_layer.ts";
import { DurableQueues } from "../durable/durable_queues.ts";
import { internalDoor } from "../internal_door.ts";
import { assertTaken, closedError } from "../layer_error.ts";
import type { LayerSettings } from "../layer_options.ts";
import type { LayerStats } from "../layer_stats.ts";
import { LocalChannels } from "../local/local_channels.ts";
import {
  assertChannelName,
  assertDurableName,
  assertGroupName,
  copyMessage,
  type PlainMessage,
} from "../input.ts";
import { BusGroups } from "./bus_groups.ts";

/**
 * The part of a channel layer that is the same for every {@linkcode Bus}.
 *
 * @internal
 */
export abstract class BusChannelLayer implements ChannelLayer {
  readonly extensions: readonly string[] = ["groups", "flush", "processes"];
  readonly #settings: LayerSettings;
  readonly #local: LocalChannels;
  readonly #bus: Bus;
  readonly #queues: DurableQueues;
  readonly #groups: BusGroups;
  /** Adds a message to a durable channel. */
  readonly #push: Bus["push"];
  readonly #gapListeners = new Set<(gap: LayerGap) => void>();
  readonly #closing = new AbortController();
  #closed = false;

  /** Called by the drivers. */
  constructor(settings: LayerSettings, createBus: (context: BusContext) => Bus) {
    this.#settings = settings;
    const local = this.#local = new LocalChannels(settings, {
      onFirstMember: (group) => this.#bus.onFirstMember(group),
      onLastMember: (group) => this.#bus.onLastMember(group),
    });
    const bus = this.#bus = createBus({
      local,
      receiveForGroup: (group, except, plain) => local.groups.deliver(group, plain, except),
      receiveDirect: (...args) => this.#receiveDirect(...args),
      malformed: () => void local.counters.dropped.malformed++,
      gap: (gap) => this.#tellGap(gap),
    });
    this.#queues = new DurableQueues({
      clock: settings.clock,
      leaseMs: settings.leaseMs,
      pollMs: bus.pollMs,
      counters: local.counters,
      sourceOf: (channel) => bus.sourceOf(channel),
      decode: (frame, channel) => bus.decode(frame, channel).message,
      opened: (channel, notify) => bus.opened?.(channel, notify),
      closed: (channel) => bus.closed?.(channel),
    });
    this.#push = async (channel, plain) => {
      await bus.push(channel, plain);
      this.#queues.notify(channel);
    };
    this.#groups = new BusGroups(local, bus, this.#push);
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
      attach: (...args) => this.#attach(...args),
      send: (...args) => this.#send(...args),
      groupAdd: (...args) => this.#groupAdd(...args),
      groupSend: (...args) => this.#groupSend(...args),
    });
  }

  attach(channel: string, mailbox: Mailbox): () => void {
    assertChannelName(channel);
    return this.#attach(channel, mailbox);
  }

  #attach(channel: string, mailbox: Mailbox): () => void {
    this.#assertOpen();
    // Connects, so that messages from other processes arrive.
    this.#bus.ready().catch(() => {});
    if (ownerOf(channel) === undefined) return this.#queues.attach(channel, mailbox);
    this.#assertOwn(channel);
    return this.#local.attach(channel, mailbox);
  }

  async send(channel: string, message: LayerMessage): Promise<void> {
    assertChannelName(channel);
    await this.#send(channel, message);
  }

  async #send(channel: string, message: LayerMessage): Promise<void> {
    this.#assertOpen();
    const plain = copyMessage(message, this.#settings.maxMessageBytes);
    const owner = ownerOf(channel);
    if (owner === undefined) await this.#push(channel, plain);
    else if (owner === this.#local.names.process) {
      assertTaken(channel, this.#local.deliver(channel, plain));
    } else await this.#bus.sendRemote({ channel }, plain);
    this.#local.counters.sent++;
  }

  async receive(channel: string, options: { signal?: AbortSignal } = {}): Promise<LayerMessage> {
    assertChannelName(channel);
    this.#assertOpen();
    options.signal?.throwIfAborted();
    if (ownerOf(channel) !== undefined) {
      this.#assertOwn(channel);
      return await this.#local.receive(channel, options.signal);
    }
    await this.#readyToRead(options.signal);
    return await this.#queues.receive(channel, options.signal);
  }

  async lease(channel: string, options: { signal?: AbortSignal } = {}): Promise<Lease> {
    assertDurableName(channel);
    this.#assertOpen();
    await this.#readyToRead(options.signal);
    return await this.#queues.lease(channel, options.signal);
  }

  async groupAdd(group: string, channel: string): Promise<void> {
    assertGroupName(group);
    assertChannelName(channel);
    await this.#groupAdd(group, channel);
  }

  #groupAdd(group: string, channel: string): Promise<void> {
    this.#assertOpen();
    return this.#groups.add(group, channel);
  }

  async groupDiscard(group: string, channel: string): Promise<void> {
    assertGroupName(group);
    assertChannelName(channel);
    this.#assertOpen();
    await this.#groups.discard(group, channel);
  }

  async groupSend(
    group: string,
    message: LayerMessage,
    options: GroupSendOptions = {},
  ): Promise<GroupSendResult> {
    assertGroupName(group);
    return await this.#groupSend(group, message, options);
  }

  async #groupSend(
    group: string,
    message: LayerMessage,
    { except, local = false }: GroupSendOptions = {},
  ): Promise<GroupSendResult> {
    this.#assertOpen();
    const plain = copyMessage(message, this.#settings.maxMessageBytes);
    const result = local
      ? { ...this.#local.groups.deliver(group, plain, except), processes: 0 }
      : await this.#groups.publish(group, except, plain);
    this.#local.counters.sent++;
    return result;
  }

  onGap(callback: (gap: LayerGap) => void): () => void {
    this.#gapListeners.add(callback);
    return () => this.#gapListeners.delete(callback);
  }

  async check(): Promise<void> {
    await this.#bus.check();
  }

  async flush(): Promise<void> {
    await this.#bus.ready();
    this.#local.flush();
    await this.#bus.flush();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing.abort(closedError());
    const settled = this.#queues.close();
    this.#local.close();
    await settled;
    await this.#bus.close();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A drop is only counted: the sender is in another process and cannot be notified. */
  #receiveDirect(channel: string, group: string | undefined, plain: PlainMessage): void {
    if (this.#closed) return;
    try {
      if (group === undefined) this.#local.deliver(channel, plain);
      else this.#groups.receive(group, channel, plain);
    } catch {
      this.#local.counters.dropped.limit++;
    }
  }

  #tellGap(gap: LayerGap): void {
    this.#local.tellGap(gap);
    for (const callback of this.#gapListeners) callback(gap);
    this.#queues.notify();
  }

  /** Waits for the bus before a reader is queued, so that an aborted reader never takes a message. */
  async #readyToRead(signal: AbortSignal | undefined): Promise<void> {
    await abortable(abortable(this.#bus.ready(), signal), this.#closing.signal);
  }

  #assertOpen(): void {
    if (this.#closed) throw closedError();
  }

  #assertOwn(channel: string): void {
    if (this.#local.names.owns(channel)) return;
    throw new TypeError(`Cannot read "${channel}": it lives in another process`);
  }
}
