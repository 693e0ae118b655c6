import type { LayerMessage } from "../../core/consumer.ts";
import type { LayerGap, Lease, Mailbox } from "../channel_layer.ts";
import { closedError, LayerError } from "../layer_error.ts";
import type { LayerSettings } from "../layer_options.ts";
import { ChannelNames, ownerOf } from "../channel_names.ts";
import { LayerCounters, type LayerStats } from "../layer_stats.ts";
import {
  type Delivery,
  type GroupWatcher,
  LocalChannel,
  LocalGroups,
  type Membership,
} from "./local_channel.ts";
import type { LocalQueueContext } from "./local_queue.ts";
import type { PlainMessage } from "../input.ts";

/** The local channels and groups: all of a memory layer, and the local part of other layers. */
export class LocalChannels {
  readonly counters: LayerCounters = new LayerCounters();
  readonly names: ChannelNames = new ChannelNames();
  readonly groups: LocalGroups;
  readonly #channels = new Map<string, LocalChannel>();
  readonly #settings: LayerSettings;
  readonly #context: LocalQueueContext;
  #cancelSweep: (() => void) | undefined;
  #closed = false;

  constructor(settings: LayerSettings, watcher: GroupWatcher = {}) {
    const { clock, expiryMs, leaseMs, maxWaitingBytes, capacityOf } = settings;
    this.#settings = settings;
    this.#context = {
      clock,
      expiryMs,
      leaseMs,
      maxWaitingBytes,
      capacityOf,
      waitingSize: 0,
      counters: this.counters,
      settled: (channel: LocalChannel) => this.#settled(channel),
    };
    this.groups = new LocalGroups(settings, watcher, {
      queued: () => this.#sweepLater(),
      left: (channel) => this.#forgetIfIdle(channel),
    });
  }

  get stats(): LayerStats {
    const { sent, delivered, queued, dropped, gaps } = this.counters;
    return {
      channels: this.#channels.size,
      groups: this.groups.size,
      waitingSize: this.#context.waitingSize,
      sent,
      delivered,
      queued,
      dropped: { ...dropped },
      gaps,
    };
  }

  /** Whether there are no local channels. */
  get isEmpty(): boolean {
    return this.#channels.size === 0;
  }

  /** Whether a message to the channel can still get a reader here. */
  isThere(channel: string): boolean {
    return this.#channels.has(channel) || this.names.isUnused(channel) ||
      ownerOf(channel) === undefined;
  }

  isMember(group: string, channel: string): boolean {
    return this.#channels.get(channel)?.groups.has(group) ?? false;
  }

  attach(channel: string, mailbox: Mailbox): () => void {
    const entry = this.#channel(channel);
    entry.attach(mailbox);
    this.names.use(channel);
    return () => {
      if (entry.detach(mailbox)) this.#end(entry);
    };
  }

  /** Delivers to one channel. A message to a channel that has ended is counted as `nobody`. */
  deliver(channel: string, plain: PlainMessage): Delivery | "nobody" {
    if (this.#closed) throw closedError();
    if (!this.isThere(channel)) {
      this.counters.dropped.nobody++;
      return "nobody";
    }
    const entry = this.#channel(channel);
    const delivery = entry.deliver(plain);
    if (delivery === "queued") this.#sweepLater();
    else this.#forgetIfIdle(entry);
    return delivery;
  }

  receive(channel: string, signal: AbortSignal | undefined): Promise<LayerMessage> {
    return this.#read(channel, (entry) => entry.receive(signal));
  }

  lease(channel: string, signal: AbortSignal | undefined): Promise<Lease> {
    return this.#read(channel, (entry) => entry.lease(signal));
  }

  /** Returns the membership; `undefined` for a channel that has ended. */
  groupAdd(group: string, channel: string): Membership | undefined {
    if (!this.#closed && !this.isThere(channel)) return undefined;
    const entry = this.#channel(channel);
    try {
      return this.groups.add(group, entry);
    } catch (error) {
      this.#forgetIfIdle(entry);
      throw error;
    }
  }

  /** Removes a channel from a group, unless it has left and rejoined since. */
  undoAdd(group: string, channel: string, membership: Membership): void {
    const entry = this.#channels.get(channel);
    if (entry === undefined || this.groups.membership(group, entry) !== membership) return;
    this.groups.discard(group, entry);
  }

  groupDiscard(group: string, channel: string): void {
    const entry = this.#channels.get(channel);
    if (entry !== undefined) this.groups.discard(group, entry);
  }

  /** Reports the gap to every mailbox. */
  tellGap(gap: LayerGap): void {
    this.counters.gaps++;
    for (const { mailbox } of [...this.#channels.values()]) mailbox?.gap?.(gap);
  }

  flush(): void {
    for (const entry of this.#channels.values()) entry.flush();
    this.groups.clear();
    for (const entry of this.#channels.values()) this.#forgetIfIdle(entry);
  }

  close(): void {
    this.#closed = true;
    this.#cancelSweep?.();
    for (const entry of this.#channels.values()) entry.close(closedError());
    this.#channels.clear();
    this.groups.close();
  }

  async #read<T>(channel: string, read: (entry: LocalChannel) => Promise<T>): Promise<T> {
    const entry = this.#channel(channel);
    try {
      return await read(entry);
    } finally {
      this.#forgetIfIdle(entry);
    }
  }

  #settled(entry: LocalChannel): void {
    if (this.#context.waitingSize > 0) this.#sweepLater();
    this.#forgetIfIdle(entry);
  }

  #channel(name: string): LocalChannel {
    if (this.#closed) throw closedError();
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const { maxChannels } = this.#settings;
    if (this.#channels.size >= maxChannels) {
      const limit = `Cannot have more than ${maxChannels} channels in this process`;
      throw new LayerError("LIMIT_REACHED", limit);
    }
    const entry = new LocalChannel(name, this.#context);
    this.#channels.set(name, entry);
    return entry;
  }

  /** Ends a local channel. A durable channel outlives its reader. */
  #end(entry: LocalChannel): void {
    if (entry.isDurable) return this.#forgetIfIdle(entry);
    this.#channels.delete(entry.name);
    for (const group of entry.groups) this.groups.discard(group, entry);
  }

  #forgetIfIdle(entry: LocalChannel): void {
    if (entry.isIdle && this.#channels.get(entry.name) === entry) {
      this.#channels.delete(entry.name);
    }
  }

  /** Drops expired messages, with at most one sweep per `expiryMs`. */
  #sweepLater(): void {
    this.#cancelSweep ??= this.#settings.clock.after(this.#settings.expiryMs, () => {
      this.#cancelSweep = undefined;
      this.#sweep();
    });
  }

  #sweep(): void {
    for (const entry of this.#channels.values()) {
      entry.expire();
      this.groups.expire(entry);
      this.#forgetIfIdle(entry);
    }
    if (this.#context.waitingSize > 0) this.#sweepLater();
  }
}
