import { type InternalLayer, INTERNALS } from "../../core/internals.ts";
import type { LayerMessage } from "../../core/consumer.ts";
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
import { LeavingMembers } from "./leaving_members.ts";
import { DurableQueues } from "../durable/durable_queues.ts";
import { deliverToMember, type MemberTransport, sendToMembers } from "../local/group_members.ts";
import { internalDoor } from "../internal_door.ts";
import { closedError } from "../layer_error.ts";
import type { LayerSettings } from "../layer_options.ts";
import type { LayerStats } from "../layer_stats.ts";
import { LocalChannels } from "../local/local_channels.ts";
import { assertChannelName, assertDurableName, assertGroupName } from "../names.ts";
import { abortable, attempt, undelivered } from "../local/outcome.ts";
import { copyMessage, type PlainMessage } from "../local/plain_message.ts";

/** The part of a channel layer that is the same for every {@linkcode Bus}. */
export abstract class BusChannelLayer implements ChannelLayer {
  readonly extensions: readonly string[] = ["groups", "flush", "processes"];
  readonly #settings: LayerSettings;
  readonly #local: LocalChannels;
  readonly #bus: Bus;
  readonly #queues: DurableQueues;
  readonly #gapListeners = new Set<(gap: LayerGap) => void>();
  readonly #departures = new LeavingMembers();
  readonly #closing = new AbortController();
  #closed = false;

  constructor(settings: LayerSettings, createBus: (context: BusContext) => Bus) {
    this.#settings = settings;
    const local = this.#local = new LocalChannels(settings, {
      onFirstMember: (group) => this.#bus.onFirstMember(group),
      onLastMember: (group) => this.#bus.onLastMember(group),
    });
    const bus = this.#bus = createBus({
      local,
      receiveForGroup: (group, except, plain) => void local.groupDeliver(group, plain, except),
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
      opened: (channel, ring) => bus.opened?.(channel, ring),
      closed: (channel) => bus.closed?.(channel),
    });
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

  send(channel: string, message: LayerMessage): Promise<void> {
    return attempt(() => {
      assertChannelName(channel);
      return this.#send(channel, message);
    });
  }

  async #send(channel: string, message: LayerMessage): Promise<void> {
    this.#assertOpen();
    const plain = copyMessage(message, this.#settings.maxMessageBytes);
    const owner = ownerOf(channel);
    if (owner === undefined) await this.#push(channel, plain);
    else if (this.#local.names.owns(channel)) this.#sendHere(channel, plain);
    else await this.#bus.sendRemote({ channel }, plain);
    this.#local.counters.sent++;
  }

  receive(channel: string, options: { signal?: AbortSignal } = {}): Promise<LayerMessage> {
    return attempt(async () => {
      assertChannelName(channel);
      this.#assertOpen();
      options.signal?.throwIfAborted();
      if (ownerOf(channel) !== undefined) {
        this.#assertOwn(channel);
        return await this.#local.receive(channel, options.signal);
      }
      await this.#readyToRead(options.signal);
      return await this.#queues.receive(channel, options.signal);
    });
  }

  lease(channel: string, options: { signal?: AbortSignal } = {}): Promise<Lease> {
    return attempt(async () => {
      assertDurableName(channel);
      this.#assertOpen();
      await this.#readyToRead(options.signal);
      return await this.#queues.lease(channel, options.signal);
    });
  }

  groupAdd(group: string, channel: string): Promise<void> {
    return attempt(() => {
      assertGroupName(group);
      assertChannelName(channel);
      return this.#groupAdd(group, channel);
    });
  }

  async #groupAdd(group: string, channel: string): Promise<void> {
    this.#assertOpen();
    if (this.#local.names.owns(channel)) await this.#addHere(group, channel);
    else await this.#bus.addMember(group, channel);
  }

  groupDiscard(group: string, channel: string): Promise<void> {
    return attempt(async () => {
      assertGroupName(group);
      assertChannelName(channel);
      this.#assertOpen();
      const isOwn = this.#local.names.owns(channel);
      if (isOwn) this.#local.groupDiscard(group, channel);
      // Another process may have added it. The local removal does not depend on the bus.
      const removed = this.#bus.removeMember(group, channel);
      if (!isOwn) return await removed;
      await this.#departures.note(group, channel, this.#catchUp(channel, removed));
    });
  }

  groupSend(
    group: string,
    message: LayerMessage,
    options: GroupSendOptions = {},
  ): Promise<GroupSendResult> {
    return attempt(() => {
      assertGroupName(group);
      return this.#groupSend(group, message, options);
    });
  }

  async #groupSend(
    group: string,
    message: LayerMessage,
    { except, local = false }: GroupSendOptions = {},
  ): Promise<GroupSendResult> {
    this.#assertOpen();
    const plain = copyMessage(message, this.#settings.maxMessageBytes);
    const result = local
      ? { ...this.#local.groupDeliver(group, plain, except), processes: 0 }
      : await this.#publish(group, except, plain);
    this.#local.counters.sent++;
    return result;
  }

  onGap(callback: (gap: LayerGap) => void): () => void {
    this.#gapListeners.add(callback);
    return () => this.#gapListeners.delete(callback);
  }

  check(): Promise<void> {
    return attempt(() => this.#bus.check());
  }

  flush(): Promise<void> {
    return attempt(async () => {
      await this.#bus.ready();
      this.#local.flush();
      await this.#bus.flush();
    });
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

  /** Adds at once, so that a following `groupDiscard()` undoes it. Reverted if the bus fails. */
  async #addHere(group: string, channel: string): Promise<void> {
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

  /** Resolves when a channel has got all that was sent before it was taken out of a group. */
  async #catchUp(channel: string, removed: Promise<void>): Promise<void> {
    await removed;
    if (this.#local.isThere(channel)) await this.#bus.flushInbound();
  }

  #sendHere(channel: string, plain: PlainMessage): void {
    const delivery = this.#local.deliver(channel, plain);
    if (delivery === "full" || delivery === "limit") throw undelivered(channel, delivery);
  }

  async #push(channel: string, plain: PlainMessage): Promise<void> {
    await this.#bus.push(channel, plain);
    this.#queues.notify(channel);
  }

  async #publish(
    group: string,
    except: string | undefined,
    plain: PlainMessage,
  ): Promise<GroupSendResult> {
    const { here, processes, members } = await this.#bus.publish(group, except, plain);
    if (members.length === 0) return { ...here, processes };
    const to = { group, members, except };
    const others = await sendToMembers(this.#local, to, plain, this.#membersOf(group));
    return {
      delivered: here.delivered + others.delivered,
      queued: here.queued + others.queued,
      dropped: here.dropped + others.dropped,
      processes,
    };
  }

  #membersOf(group: string): MemberTransport {
    return {
      push: (channel, plain) => this.#push(channel, plain),
      sendRemote: (channel, plain) => this.#bus.sendRemote({ channel, group }, plain),
      remove: (channel) => this.#bus.removeMember(group, channel),
    };
  }

  /** A drop is only counted: the sender is in another process and cannot be notified. */
  #receiveDirect(channel: string, group: string | undefined, plain: PlainMessage): void {
    const local = this.#local;
    if (this.#closed || (group !== undefined && this.#hasGot(group, channel))) return;
    try {
      if (group === undefined) local.deliver(channel, plain);
      else deliverToMember(local, channel, plain, this.#membersOf(group));
    } catch {
      local.counters.dropped.limit++;
    }
  }

  /** Whether the channel gets messages to the group as a local member. */
  #hasGot(group: string, channel: string): boolean {
    return this.#local.isMember(group, channel) || this.#departures.has(group, channel);
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
