import type { LayerMessage } from "../../core/consumer.ts";
import { SmallSet } from "../../core/small_set.ts";
import type { Lease, Mailbox } from "../channel_layer.ts";
import { ownerOf } from "../channel_names.ts";
import { LayerError } from "../layer_error.ts";
import type { LayerSettings } from "../layer_options.ts";
import { LocalQueue, type LocalQueueContext, type LocalQueueOwner } from "./local_queue.ts";
import type { PlainMessage } from "../input.ts";

/** The outcome of a message to a local channel. */
export type Delivery = "delivered" | "queued" | "full" | "limit";

/** One local channel: its mailbox, its groups, and what waits in it. */
export class LocalChannel implements LocalQueueOwner {
  readonly name: string;
  /** Whether the channel outlives its reader, because it belongs to no process. */
  readonly isDurable: boolean;
  readonly groups: SmallSet<string> = new SmallSet();
  mailbox: Mailbox | undefined;
  readonly #context: LocalQueueContext;
  /** Created on demand: a channel that always has a mailbox needs none. */
  #queue: LocalQueue | undefined;

  constructor(name: string, context: LocalQueueContext) {
    this.name = name;
    this.isDurable = ownerOf(name) === undefined;
    this.#context = context;
  }

  /** Whether its memberships never expire: a connection owns the channel. */
  get stays(): boolean {
    return this.mailbox !== undefined && !this.isDurable;
  }

  /** Whether the channel can be deleted without losing anything. */
  get isIdle(): boolean {
    const isEmpty = this.#queue?.isIdle ?? true;
    return this.mailbox === undefined && this.groups.size === 0 && isEmpty;
  }

  deliver(plain: PlainMessage): Delivery {
    const { counters } = this.#context;
    const delivery = this.#take(plain);
    if (delivery === "delivered" || delivery === "queued") counters[delivery]++;
    else counters.dropped[delivery]++;
    return delivery;
  }

  receive(signal: AbortSignal | undefined): Promise<LayerMessage> {
    return this.#forReader().receive(signal);
  }

  lease(signal: AbortSignal | undefined): Promise<Lease> {
    return this.#forReader().lease(signal);
  }

  attach(mailbox: Mailbox): void {
    if (this.mailbox !== undefined || this.#queue?.hasReaders) {
      throw new TypeError(`Cannot attach a mailbox to "${this.name}": it already has a reader`);
    }
    this.mailbox = mailbox;
    this.#queue?.offerAll();
  }

  /** Returns whether `mailbox` was the one attached. */
  detach(mailbox: Mailbox): boolean {
    if (this.mailbox !== mailbox) return false;
    this.mailbox = undefined;
    this.#queue?.stopOffering();
    return true;
  }

  /** Drops expired messages. */
  expire(): void {
    this.#queue?.expire();
  }

  flush(): void {
    this.#queue?.flush();
    this.groups.clear();
  }

  close(error: Error): void {
    this.groups.clear();
    this.mailbox = undefined;
    this.#queue?.close(error);
  }

  get #waiting(): LocalQueue {
    return this.#queue ??= new LocalQueue(this, this.#context);
  }

  #take(plain: PlainMessage): Delivery {
    const mailbox = this.mailbox;
    if (mailbox === undefined || this.isDurable) return this.#waiting.put(plain);
    try {
      return mailbox.deliver(plain.message) ? "delivered" : "full";
    } catch {
      return "full";
    }
  }

  #forReader(): LocalQueue {
    if (this.mailbox === undefined) return this.#waiting;
    throw new TypeError(`Cannot receive from "${this.name}": it has a mailbox`);
  }
}

/** The outcome of a message to the local members of a group. */
export interface LocalDelivery {
  readonly delivered: number;
  readonly queued: number;
  readonly dropped: number;
}

/** The outcome for a group without members. */
export const NOBODY: LocalDelivery = { delivered: 0, queued: 0, dropped: 0 };

/** The membership of a channel in a group. */
export interface Membership {
  /** When the channel was last added. */
  addedAt: number;
  /** The number of pending `groupAdd()` calls. */
  pending: number;
  /** Whether a `groupAdd()` call has succeeded. */
  isKept: boolean;
}

/** Observes the groups with local members. */
export interface GroupWatcher {
  /** Called when a group gets its first local member. */
  onFirstMember?(group: string): void;
  /** Called when a group has lost its last local member. */
  onLastMember?(group: string): void;
}

/** The owner of the channels. */
export interface GroupsOwner {
  /** Called when messages start to wait in some channel. */
  queued(): void;
  /** Called when a channel has left a group. */
  left(channel: LocalChannel): void;
}

/** The groups with local members. */
export class LocalGroups {
  readonly #groups = new Map<string, Map<LocalChannel, Membership>>();
  readonly #settings: LayerSettings;
  readonly #watcher: GroupWatcher;
  readonly #owner: GroupsOwner;

  constructor(settings: LayerSettings, watcher: GroupWatcher, owner: GroupsOwner) {
    this.#settings = settings;
    this.#watcher = watcher;
    this.#owner = owner;
  }

  get size(): number {
    return this.#groups.size;
  }

  has(group: string): boolean {
    return this.#groups.has(group);
  }

  membership(group: string, channel: LocalChannel): Membership | undefined {
    return this.#groups.get(group)?.get(channel);
  }

  /** @throws {LayerError} `LIMIT_REACHED`: there are too many groups. */
  add(group: string, channel: LocalChannel): Membership {
    let members = this.#groups.get(group);
    if (members === undefined) {
      const { maxGroups } = this.#settings;
      if (this.#groups.size >= maxGroups) {
        const limit = `Cannot have more than ${maxGroups} groups in this process`;
        throw new LayerError("LIMIT_REACHED", limit);
      }
      this.#groups.set(group, members = new Map());
      this.#watcher.onFirstMember?.(group);
    }
    const membership = members.get(channel) ?? { addedAt: 0, pending: 0, isKept: false };
    membership.addedAt = this.#settings.clock.elapsed();
    members.set(channel, membership);
    channel.groups.add(group);
    return membership;
  }

  discard(group: string, channel: LocalChannel): void {
    channel.groups.delete(group);
    const members = this.#groups.get(group);
    if (members?.delete(channel) && members.size === 0) this.#end(group);
    this.#owner.left(channel);
  }

  /** Delivers to all members but `except`. */
  deliver(group: string, plain: PlainMessage, except: string | undefined): LocalDelivery {
    const members = this.#groups.get(group);
    if (members === undefined) return NOBODY;
    let delivered = 0, queued = 0, dropped = 0;
    for (const [channel, membership] of members) {
      if (channel.name === except || this.#discardExpired(group, channel, membership)) {
        continue;
      }
      const delivery = channel.deliver(plain);
      if (delivery === "delivered") delivered++;
      else if (delivery === "queued") queued++;
      else dropped++;
    }
    if (queued > 0) this.#owner.queued();
    return { delivered, queued, dropped };
  }

  /** Counts the members that a message to the group would reach. */
  count(group: string, except: string | undefined): number {
    const members = [...this.#groups.get(group)?.keys() ?? []];
    return members.filter(({ name }) => name !== except).length;
  }

  /** Removes the expired memberships of a channel. */
  expire(channel: LocalChannel): void {
    for (const group of channel.groups) {
      const membership = this.membership(group, channel);
      if (membership !== undefined) this.#discardExpired(group, channel, membership);
    }
  }

  clear(): void {
    for (const group of [...this.#groups.keys()]) this.#end(group);
  }

  /** Forgets all groups without a notice. */
  close(): void {
    this.#groups.clear();
  }

  #discardExpired(group: string, channel: LocalChannel, { addedAt }: Membership): boolean {
    if (channel.stays) return false;
    const { clock, groupExpiryMs } = this.#settings;
    if (clock.elapsed() - addedAt < groupExpiryMs) return false;
    this.discard(group, channel);
    return true;
  }

  #end(group: string): void {
    this.#groups.delete(group);
    this.#watcher.onLastMember?.(group);
  }
}
