import type { LayerMessage } from "../../core/consumer.ts";
import type { LayerGap, Lease, Mailbox } from "../channel_layer.ts";
import { closedError, LayerError } from "../layer_error.ts";
import type { LayerSettings } from "../layer_options.ts";
import { ChannelNames, ownerOf } from "../channel_names.ts";
import { LayerCounters, type LayerStats } from "../layer_stats.ts";
import { type Delivery, LocalChannel, type LocalChannelContext } from "./local_channel.ts";
import type { PlainMessage } from "./plain_message.ts";

/** The outcome of a message to the local members of a group. */
export interface LocalDelivery {
  readonly delivered: number;
  readonly queued: number;
  readonly dropped: number;
}

/** The membership of a channel in a group. */
export interface Membership {
  /** When the channel was last added. */
  addedAt: number;
  /** The number of pending `groupAdd()` calls. */
  pending: number;
  /** Whether a `groupAdd()` call has succeeded. */
  isKept: boolean;
}

/** The outcome for a group without members. */
export const NOBODY: LocalDelivery = { delivered: 0, queued: 0, dropped: 0 };

/** Observes the groups with local members. */
export interface GroupWatcher {
  /** Called when a group gets its first local member. */
  onFirstMember?(group: string): void;
  /** Called when a group has lost its last local member. */
  onLastMember?(group: string): void;
}

/** The local channels and groups: all of a memory layer, and the local part of other layers. */
export class LocalChannels {
  readonly counters: LayerCounters = new LayerCounters();
  readonly names: ChannelNames = new ChannelNames();
  readonly #channels = new Map<string, LocalChannel>();
  readonly #groups = new Map<string, Map<LocalChannel, Membership>>();
  readonly #settings: LayerSettings;
  readonly #context: LocalChannelContext;
  readonly #watcher: GroupWatcher;
  #cancelSweep: (() => void) | undefined;
  #closed = false;

  constructor(settings: LayerSettings, watcher: GroupWatcher = {}) {
    const { clock, expiryMs, leaseMs, maxWaitingBytes } = settings;
    this.#settings = settings;
    this.#watcher = watcher;
    this.#context = {
      clock,
      expiryMs,
      leaseMs,
      maxWaitingBytes,
      waitingSize: 0,
      counters: this.counters,
      settled: (channel) => this.#settled(channel),
    };
  }

  get stats(): LayerStats {
    const { sent, delivered, queued, dropped, gaps } = this.counters;
    return {
      channels: this.#channels.size,
      groups: this.#groups.size,
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

  hasGroup(group: string): boolean {
    return this.#groups.has(group);
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
    let members = this.#groups.get(group);
    if (members === undefined) {
      this.#assertRoomForGroup(entry);
      this.#groups.set(group, members = new Map());
      this.#watcher.onFirstMember?.(group);
    }
    const membership = members.get(entry) ?? { addedAt: 0, pending: 0, isKept: false };
    membership.addedAt = this.#now();
    members.set(entry, membership);
    entry.groups.add(group);
    return membership;
  }

  /** Removes a channel from a group, unless it has left and rejoined since. */
  undoAdd(group: string, channel: string, membership: Membership): void {
    const entry = this.#channels.get(channel);
    if (entry === undefined || this.#groups.get(group)?.get(entry) !== membership) return;
    this.groupDiscard(group, channel);
  }

  groupDiscard(group: string, channel: string): void {
    const entry = this.#channels.get(channel);
    if (entry === undefined) return;
    this.#leave(group, entry);
    this.#forgetIfIdle(entry);
  }

  groupDeliver(group: string, plain: PlainMessage, except: string | undefined): LocalDelivery {
    const members = this.#groups.get(group);
    if (members === undefined) return NOBODY;
    const left = except === undefined ? undefined : this.#channels.get(except);
    let delivered = 0, queued = 0, dropped = 0;
    for (const [entry, { addedAt }] of members) {
      if (entry === left) continue;
      if (!entry.stays && this.#leaveIfExpired(group, entry, addedAt, this.#now())) continue;
      const delivery = entry.deliver(plain);
      if (delivery === "delivered") delivered++;
      else if (delivery === "queued") queued++;
      else dropped++;
    }
    if (queued > 0) this.#sweepLater();
    return { delivered, queued, dropped };
  }

  /** Counts the members that a message to the group would reach. */
  countMembers(group: string, except: string | undefined): number {
    const size = this.#groups.get(group)?.size ?? 0;
    return except !== undefined && this.isMember(group, except) ? size - 1 : size;
  }

  /** Reports the gap to every mailbox. */
  tellGap(gap: LayerGap): void {
    this.counters.gaps++;
    for (const { mailbox } of [...this.#channels.values()]) mailbox?.gap?.(gap);
  }

  flush(): void {
    for (const entry of this.#channels.values()) entry.flush();
    for (const group of [...this.#groups.keys()]) this.#endGroup(group);
    for (const entry of this.#channels.values()) this.#forgetIfIdle(entry);
  }

  close(): void {
    this.#closed = true;
    this.#cancelSweep?.();
    for (const entry of this.#channels.values()) entry.close(closedError());
    this.#channels.clear();
    this.#groups.clear();
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
    this.#assertRoom("channels", this.#channels.size, this.#settings.maxChannels);
    const entry = new LocalChannel(name, this.#settings.capacityOf(name), this.#context);
    this.#channels.set(name, entry);
    return entry;
  }

  #assertRoom(what: string, size: number, max: number): void {
    if (size < max) return;
    throw new LayerError("LIMIT_REACHED", `Cannot have more than ${max} ${what} in this process`);
  }

  #assertRoomForGroup(entry: LocalChannel): void {
    try {
      this.#assertRoom("groups", this.#groups.size, this.#settings.maxGroups);
    } catch (error) {
      this.#forgetIfIdle(entry);
      throw error;
    }
  }

  #leaveIfExpired(group: string, entry: LocalChannel, addedAt: number, now: number): boolean {
    if (entry.stays || now - addedAt < this.#settings.groupExpiryMs) return false;
    this.#leave(group, entry);
    this.#forgetIfIdle(entry);
    return true;
  }

  #leave(group: string, entry: LocalChannel): void {
    entry.groups.delete(group);
    const members = this.#groups.get(group);
    if (members?.delete(entry) && members.size === 0) this.#endGroup(group);
  }

  #endGroup(group: string): void {
    this.#groups.delete(group);
    this.#watcher.onLastMember?.(group);
  }

  /** Ends a local channel. A durable channel outlives its reader. */
  #end(entry: LocalChannel): void {
    if (entry.isDurable) return this.#forgetIfIdle(entry);
    for (const group of entry.groups) this.#leave(group, entry);
    this.#channels.delete(entry.name);
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
    const now = this.#now();
    for (const entry of this.#channels.values()) {
      entry.expire(now);
      for (const group of entry.groups) {
        const { addedAt = now } = this.#groups.get(group)?.get(entry) ?? {};
        this.#leaveIfExpired(group, entry, addedAt, now);
      }
      this.#forgetIfIdle(entry);
    }
    if (this.#context.waitingSize > 0) this.#sweepLater();
  }

  #now(): number {
    return this.#settings.clock.elapsed();
  }
}
