import type { GroupSendResult } from "../channel_layer.ts";
import { ownerOf } from "../channel_names.ts";
import { LayerError } from "../layer_error.ts";
import type { LocalChannels } from "../local/local_channels.ts";
import type { LocalDelivery } from "../local/local_channel.ts";
import type { PlainMessage } from "../input.ts";
import type { Bus } from "./bus.ts";

/** A message to the members of a group that are stored on the bus. */
interface MemberMessage {
  readonly group: string;
  readonly members: readonly string[];
  readonly except: string | undefined;
  readonly plain: PlainMessage;
}

/**
 * The groups of a layer on a bus. Local channels are members in their process; the bus stores the other
 * members: durable channels, and channels that a process other than their own added.
 */
export class BusGroups {
  readonly #local: LocalChannels;
  readonly #bus: Bus;
  readonly #push: Bus["push"];
  /**
   * Local channels that are leaving a group, with the number of removals. Until a removal is confirmed, a
   * message may still reach them twice: as a local member, and as a stored one.
   */
  readonly #leaving = new Map<string, number>();

  /** @param push Adds a message to a durable channel. */
  constructor(local: LocalChannels, bus: Bus, push: Bus["push"]) {
    this.#local = local;
    this.#bus = bus;
    this.#push = push;
  }

  /** Adds a channel to a group. @throws {LayerError} `LIMIT_REACHED`, `UNAVAILABLE`, or `CLOSED`. */
  async add(group: string, channel: string): Promise<void> {
    if (!this.#local.names.owns(channel)) return await this.#bus.addMember(group, channel);
    // At once, so that a following `discard()` undoes it. Reverted if the bus fails.
    const membership = this.#local.groupAdd(group, channel);
    if (membership === undefined) return;
    membership.pending++;
    try {
      await this.#bus.subscribed(group);
      membership.isKept = true;
    } finally {
      const isUnwanted = --membership.pending === 0 && !membership.isKept;
      if (isUnwanted) this.#local.undoAdd(group, channel, membership);
    }
  }

  /** Publishes a message, and sends it to stored members. */
  async publish(
    group: string,
    except: string | undefined,
    plain: PlainMessage,
  ): Promise<GroupSendResult> {
    const { here, processes, members } = await this.#bus.publish(group, except, plain);
    if (members.length === 0) return { ...here, processes };
    const others = await this.#sendAll({ group, members, except, plain });
    return {
      delivered: here.delivered + others.delivered,
      queued: here.queued + others.queued,
      dropped: here.dropped + others.dropped,
      processes,
    };
  }

  async #sendAll(to: MemberMessage): Promise<LocalDelivery> {
    const count = { delivered: 0, queued: 0, dropped: 0 };
    await Promise.all(to.members.map(async (member) => {
      // A local member has already received the message.
      if (member === to.except || this.#local.isMember(to.group, member)) return;
      const outcome = await this.#send(member, to);
      if (outcome !== undefined) count[outcome]++;
    }));
    return count;
  }

  /** Takes a message from another process to a local channel, which is a member of `group`. */
  receive(group: string, channel: string, plain: PlainMessage): void {
    if (this.#local.isMember(group, channel) || this.#leaving.has(key(group, channel))) return;
    this.#deliver(group, channel, plain);
  }

  /**
   * Takes a channel out of a group. Resolves when a local channel has got all that was sent before.
   *
   * @throws {LayerError} `UNAVAILABLE`, but for a local channel.
   */
  async discard(group: string, channel: string): Promise<void> {
    const isOwn = this.#local.names.owns(channel);
    if (isOwn) this.#local.groupDiscard(group, channel);
    // Another process may have added it. The local removal does not depend on the bus.
    const removed = this.#bus.removeMember(group, channel);
    if (!isOwn) return await removed;
    const name = key(group, channel);
    this.#leaving.set(name, (this.#leaving.get(name) ?? 0) + 1);
    try {
      await removed;
      if (this.#local.isThere(channel)) await this.#bus.flushInbound();
    } catch { /* It has left the local group in any case. */ }
    const others = this.#leaving.get(name)! - 1;
    if (others > 0) this.#leaving.set(name, others);
    else this.#leaving.delete(name);
  }

  async #send(
    member: string,
    { group, plain }: MemberMessage,
  ): Promise<keyof LocalDelivery | undefined> {
    const owner = ownerOf(member);
    try {
      if (owner === undefined) {
        await this.#push(member, plain);
        return "queued";
      }
      if (owner === this.#local.names.process) return this.#deliver(group, member, plain);
      const isThere = await this.#bus.sendRemote({ channel: member, group }, plain);
      if (!isThere) await this.#bus.removeMember(group, member);
      return undefined;
    } catch (error) {
      const isCounted = error instanceof LayerError && error.code === "CHANNEL_FULL";
      if (!isCounted) this.#local.counters.dropped.gap++;
      return "dropped";
    }
  }

  /** Delivers to a local channel. A channel that has ended is removed from the group. */
  #deliver(
    group: string,
    channel: string,
    plain: PlainMessage,
  ): keyof LocalDelivery | undefined {
    const delivery = this.#local.deliver(channel, plain);
    if (delivery === "delivered" || delivery === "queued") return delivery;
    if (delivery !== "nobody") return "dropped";
    this.#bus.removeMember(group, channel).catch(() => {});
    return undefined;
  }
}

/** Unambiguous, because names contain no spaces. */
function key(group: string, channel: string): string {
  return `${group} ${channel}`;
}
