import { LayerError } from "../layer_error.ts";
import type { LayerSettings } from "../layer_options.ts";
import type { LocalChannel } from "./local_channel.ts";
import type { PlainMessage } from "../input.ts";

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
