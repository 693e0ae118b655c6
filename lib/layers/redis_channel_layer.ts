/**
 * The channel layer of processes that share a Redis or Valkey, version 7 or later.
 *
 * @module
 */
import type { LayerMessage } from "../scope.ts";
import type {
  ChannelLayer,
  GroupSendOptions,
  GroupSendResult,
  LayerGap,
  Mailbox,
} from "./channel_layer.ts";
import { type BusAddress, type BusFrame, decodeBusFrame, encodeBusFrame } from "./bus_frame.ts";
import { ownerOf } from "./channel_names.ts";
import { closedError, LayerError } from "./layer_error.ts";
import {
  type ChannelLayerOptions,
  type LayerSettings,
  layerSettings,
  positive,
} from "./layer_options.ts";
import type { LayerStats } from "./layer_stats.ts";
import { LocalChannels, type LocalDelivery, NOBODY } from "./local_channels.ts";
import { assertChannelName, assertGroupName } from "./names.ts";
import { attempt, undelivered } from "./outcome.ts";
import { copyMessage, type PlainMessage } from "./plain_message.ts";
import { RedisCipher } from "./redis_cipher.ts";
import { type RedisConnection, unavailable } from "./redis_connection.ts";
import { RedisEchoes } from "./redis_echoes.ts";
import { RedisKeys } from "./redis_keys.ts";
import { RedisLink } from "./redis_link.ts";
import { RedisQueues } from "./redis_queues.ts";
import { RedisSubscriptions } from "./redis_subscriptions.ts";

/** Options of {@linkcode RedisChannelLayer}. */
export interface RedisChannelLayerOptions extends ChannelLayerOptions {
  /** What all names in Redis begin with: systems with different ones share a Redis. @default {"sluice"} */
  readonly prefix?: string;
  /** How long Redis may take to answer, in milliseconds. @default {2_000} */
  readonly timeoutMs?: number;
  /** Most bytes that are on their way to Redis. @default {67_108_864} */
  readonly maxPendingBytes?: number;
  /**
   * Secrets of 32 characters or more. With them, everything in Redis but names and times is encrypted:
   * the first one encrypts, all of them decrypt.
   */
  readonly encryptionKeys?: readonly string[];
}

/**
 * Carries messages between processes that share a Redis. What it guarantees is in `docs/layer_spec.md`.
 *
 * Nothing happens before its first use, and it needs no Redis to be there: what cannot be done rejects
 * with `UNAVAILABLE`, at once or within `timeoutMs`, until Redis is back.
 *
 * A process listens once to each group that it has members of, and all of them get one message
 * object. A message comes back from Redis before it is delivered in the sender's process, so that
 * everybody sees the messages of a group in one order.
 *
 * @example
 * ```ts
 * import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
 * import assert from "node:assert/strict";
 *
 * const layer = new RedisChannelLayer("redis://127.0.0.1:1", { prefix: "chat" }); // nobody is there
 * await assert.rejects(layer.send("jobs", { type: "resize" }), { code: "UNAVAILABLE" });
 * await layer.close();
 * ```
 */
export class RedisChannelLayer implements ChannelLayer {
  readonly extensions: readonly string[] = ["groups", "flush", "processes"];
  readonly #settings: LayerSettings;
  readonly #keys: RedisKeys;
  readonly #cipher: RedisCipher | undefined;
  readonly #local: LocalChannels;
  readonly #link: RedisLink;
  readonly #subscriptions: RedisSubscriptions;
  readonly #queues: RedisQueues;
  readonly #echoes = new RedisEchoes();
  readonly #gapListeners = new Set<(gap: LayerGap) => void>();
  #serial = 0;
  #closed = false;

  /**
   * @param url `redis://` or `rediss://` (TLS): `redis://user:password@host:6379/0`.
   * @throws {TypeError} The address, prefix or a key cannot be used.
   * @throws {RangeError} A number cannot be used.
   */
  constructor(url: string, options: RedisChannelLayerOptions = {}) {
    assertRedisUrl(url);
    const settings = this.#settings = layerSettings(options);
    const { clock } = settings;
    const timeoutMs = positive("timeoutMs", options.timeoutMs ?? 2_000);
    const maxPendingBytes = positive("maxPendingBytes", options.maxPendingBytes ?? 64 * 2 ** 20);
    this.#keys = new RedisKeys(options.prefix ?? "sluice");
    this.#cipher = options.encryptionKeys && new RedisCipher(options.encryptionKeys);
    this.#local = new LocalChannels(settings, {
      groupBegan: (group) => this.#listen(group),
      groupEnded: (group) => this.#stopListening(group),
    });
    const connection = () => this.#link.connection;
    this.#link = new RedisLink({ url, clock, timeoutMs, maxPendingBytes }, {
      restore: (connection) => this.#subscriptions.restore(connection),
      lost: () => this.#echoes.lost(),
      recovered: (gap) => this.#tellGap(gap),
    });
    this.#subscriptions = new RedisSubscriptions(connection);
    this.#queues = new RedisQueues({
      clock,
      connection,
      counters: this.#local.counters,
      subscriptions: this.#subscriptions,
      queueOf: (channel) => this.#keys.queue(channel),
      bellOf: (channel) => this.#keys.bell(channel),
      decode: (frame, channel) => this.#decode(frame, this.#keys.queue(channel))?.plain.message,
    });
    const inbox = this.#keys.inbox(this.#local.names.process);
    this.#subscriptions.add(inbox, (text, name) => this.#receiveDirect(text, name));
  }

  get stats(): LayerStats {
    return this.#local.stats;
  }

  newChannel(prefix = "specific"): string {
    return this.#local.names.next(prefix);
  }

  attach(channel: string, mailbox: Mailbox): () => void {
    assertChannelName(channel);
    if (this.#closed) throw closedError();
    this.#start();
    if (ownerOf(channel) === undefined) return this.#queues.attach(channel, mailbox);
    this.#assertOwn(channel);
    return this.#local.attach(channel, mailbox);
  }

  send(channel: string, message: LayerMessage): Promise<void> {
    return attempt(async () => {
      assertChannelName(channel);
      const plain = copyMessage(message, this.#settings.maxMessageBytes);
      const owner = ownerOf(channel);
      if (owner === undefined) await this.#push(channel, plain);
      else if (owner === this.#local.names.process) this.#sendHere(channel, plain);
      else await this.#sendThere(owner, { channel }, plain);
      this.#local.counters.sent++;
    });
  }

  receive(channel: string, options: { signal?: AbortSignal } = {}): Promise<LayerMessage> {
    return attempt(async () => {
      assertChannelName(channel);
      options.signal?.throwIfAborted();
      if (ownerOf(channel) !== undefined) {
        this.#assertOwn(channel);
        return await this.#local.receive(channel, options.signal);
      }
      const message = this.#queues.receive(channel, options.signal);
      message.catch(() => {});
      await this.#link.ready();
      return await message;
    });
  }

  groupAdd(group: string, channel: string): Promise<void> {
    return attempt(async () => {
      assertGroupName(group);
      assertChannelName(channel);
      const connection = await this.#link.ready();
      if (this.#local.names.owns(channel)) return await this.#addHere(group, channel);
      const members = this.#keys.members(group);
      await connection.script("join", [members], channel, `${this.#settings.groupExpiryMs}`);
    });
  }

  groupDiscard(group: string, channel: string): Promise<void> {
    return attempt(async () => {
      assertGroupName(group);
      assertChannelName(channel);
      if (this.#closed) throw closedError();
      const isOwn = this.#local.names.owns(channel);
      if (isOwn) this.#local.groupDiscard(group, channel);
      // Another process may have added it. What is here is done, with Redis or without.
      const removed = this.#removeMember(group, channel);
      await (isOwn ? removed.catch(() => {}) : removed);
    });
  }

  groupSend(
    group: string,
    message: LayerMessage,
    options: GroupSendOptions = {},
  ): Promise<GroupSendResult> {
    return attempt(async () => {
      assertGroupName(group);
      if (this.#closed) throw closedError();
      const plain = copyMessage(message, this.#settings.maxMessageBytes);
      const result = options.local
        ? { ...this.#local.groupDeliver(group, plain, options.except), processes: 0 }
        : await this.#publish(group, plain, options.except);
      this.#local.counters.sent++;
      return result;
    });
  }

  onGap(callback: (gap: LayerGap) => void): () => void {
    this.#gapListeners.add(callback);
    return () => this.#gapListeners.delete(callback);
  }

  check(): Promise<void> {
    return attempt(async () => {
      await (await this.#link.ready()).command("PING");
    });
  }

  flush(): Promise<void> {
    return attempt(async () => {
      const connection = await this.#link.ready();
      this.#local.flush();
      const pattern = `${this.#keys.prefix}:{*`;
      let cursor = "0";
      do {
        const reply = await connection.command("SCAN", cursor, "MATCH", pattern, "COUNT", "1000");
        const [next, keys] = reply as [string, string[]];
        for (const key of keys) await connection.command("UNLINK", key);
        cursor = String(next);
      } while (cursor !== "0");
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#queues.close();
    this.#local.close();
    this.#echoes.lost();
    this.#link.close();
    return Promise.resolve();
  }

  /** Begins to connect, so that what others send arrives. */
  #start(): void {
    this.#link.ready().catch(() => {});
  }

  #listen(group: string): void {
    this.#subscriptions.add(this.#keys.group(group), (text, name) => {
      this.#receiveForGroup(group, text, name);
    });
  }

  #stopListening(group: string): void {
    this.#subscriptions.remove(this.#keys.group(group));
    this.#echoes.groupEnded(group);
  }

  async #addHere(group: string, channel: string): Promise<void> {
    const isNew = this.#local.groupAdd(group, channel);
    try {
      await this.#subscriptions.noted(this.#keys.group(group));
    } catch (error) {
      if (isNew) this.#local.groupDiscard(group, channel);
      throw error;
    }
  }

  #sendHere(channel: string, plain: PlainMessage): void {
    const delivery = this.#local.deliver(channel, plain);
    if (delivery === "full" || delivery === "limit") throw undelivered(channel, delivery);
  }

  /** Returns false where the process is not there. */
  async #sendThere(process: string, to: BusAddress, plain: PlainMessage): Promise<boolean> {
    const connection = await this.#link.ready();
    const name = this.#keys.inbox(process);
    const args = this.#publishArguments(connection, this.#encode(name, to, plain));
    const [reached] = await connection.script("publish", [name], ...args) as [number];
    if (reached < 0) throw unavailable();
    if (reached === 0) this.#local.counters.dropped.nobody++;
    return reached > 0;
  }

  async #push(channel: string, plain: PlainMessage): Promise<void> {
    const connection = await this.#link.ready();
    const { counters } = this.#local;
    const queue = this.#keys.queue(channel);
    const reply = await connection.script(
      "push",
      [queue, this.#keys.bell(channel)],
      `${connection.deadline}`,
      `${this.#settings.capacityOf(channel)}`,
      `${this.#settings.expiryMs}`,
      this.#encode(queue, {}, plain),
    );
    const [outcome, expired] = reply as [number, number];
    counters.dropped.expired += expired;
    if (outcome === -2) throw unavailable();
    if (outcome === 1) counters.queued++;
    else {
      counters.dropped.full++;
      throw undelivered(channel, "full");
    }
  }

  async #publish(
    group: string,
    plain: PlainMessage,
    except: string | undefined,
  ): Promise<GroupSendResult> {
    const connection = await this.#link.ready();
    const name = this.#keys.group(group);
    const frame = this.#encode(name, { group, except }, plain);
    const echo = this.#local.hasGroup(group)
      ? this.#echoes.expect(frame, { group, plain, except })
      : undefined;
    try {
      const keys = [name, this.#keys.members(group)];
      const args = this.#publishArguments(connection, frame);
      const reply = await connection.script("publish", keys, ...args);
      const [reached, ...members] = reply as [number, ...string[]];
      if (reached < 0) throw unavailable();
      const here = await this.#outcome(group, except, await echo?.outcome ?? NOBODY);
      const durable = await this.#sendToMembers(group, plain, members, except);
      return {
        delivered: here.delivered + durable.delivered,
        queued: here.queued + durable.queued,
        dropped: here.dropped + durable.dropped,
        processes: Math.max(0, reached - (echo === undefined ? 0 : 1)),
      };
    } catch (error) {
      echo?.forget();
      throw error;
    }
  }

  #outcome(
    group: string,
    except: string | undefined,
    outcome: LocalDelivery | "lost",
  ): LocalDelivery {
    if (outcome !== "lost") return outcome;
    const dropped = this.#local.countMembers(group, except);
    this.#local.counters.dropped.gap += dropped;
    return { ...NOBODY, dropped };
  }

  /** Sends to members that live in no process, or were added by a process that is not theirs. */
  async #sendToMembers(
    group: string,
    plain: PlainMessage,
    members: readonly string[],
    except: string | undefined,
  ): Promise<LocalDelivery> {
    const count = { delivered: 0, queued: 0, dropped: 0 };
    await Promise.all(members.map(async (member) => {
      if (member === except || this.#local.isMember(group, member)) return;
      const outcome = await this.#sendToMember(group, plain, member);
      if (outcome !== undefined) count[outcome]++;
    }));
    return count;
  }

  async #sendToMember(
    group: string,
    plain: PlainMessage,
    member: string,
  ): Promise<keyof LocalDelivery | undefined> {
    const owner = ownerOf(member);
    try {
      if (owner === undefined) {
        await this.#push(member, plain);
        return "queued";
      }
      if (owner === this.#local.names.process) return this.#deliverToMember(group, plain, member);
      const isThere = await this.#sendThere(owner, { channel: member, group }, plain);
      if (!isThere) await this.#removeMember(group, member);
      return undefined;
    } catch (error) {
      const isCounted = error instanceof LayerError && error.code === "CHANNEL_FULL";
      if (!isCounted) this.#local.counters.dropped.gap++;
      return "dropped";
    }
  }

  /** To a channel of this process that another one added to the group. */
  #deliverToMember(
    group: string,
    plain: PlainMessage,
    channel: string,
  ): keyof LocalDelivery | undefined {
    const delivery = this.#local.deliver(channel, plain);
    if (delivery === "delivered" || delivery === "queued") return delivery;
    if (delivery !== "nobody") return "dropped";
    this.#removeMember(group, channel).catch(() => {});
    return undefined;
  }

  async #removeMember(group: string, channel: string): Promise<void> {
    const connection = await this.#link.ready();
    await connection.command("ZREM", this.#keys.members(group), channel);
  }

  #receiveForGroup(group: string, text: string, name: string): void {
    const isOwn = this.#echoes.take(
      text,
      ({ plain, except }) => this.#local.groupDeliver(group, plain, except),
    );
    if (isOwn) return;
    const frame = this.#decode(text, name);
    if (frame !== undefined) this.#local.groupDeliver(group, frame.plain, frame.except);
  }

  #receiveDirect(text: string, name: string): void {
    const frame = this.#decode(text, name);
    if (frame?.channel === undefined || this.#closed) return;
    const { channel, group, plain } = frame;
    if (!this.#local.names.owns(channel)) this.#local.counters.dropped.malformed++;
    else if (group === undefined) this.#deliverQuietly(channel, plain);
    else if (!this.#local.isMember(group, channel)) this.#deliverToMember(group, plain, channel);
  }

  /** The sender is elsewhere: a drop is counted, and nobody to be told of it. */
  #deliverQuietly(channel: string, plain: PlainMessage): void {
    try {
      this.#local.deliver(channel, plain);
    } catch {
      this.#local.counters.dropped.limit++;
    }
  }

  #encode(name: string, to: BusAddress, { message }: PlainMessage): string {
    const id = `${this.#local.names.process}.${(++this.#serial).toString(36)}`;
    const frame = encodeBusFrame(id, to, message);
    return this.#cipher?.encrypt(frame, name) ?? frame;
  }

  /** *Security*: whoever reaches Redis may publish anything; what is no frame is counted, and ignored. */
  #decode(text: string, name: string): BusFrame | undefined {
    try {
      return decodeBusFrame(this.#cipher?.decrypt(text, name) ?? text);
    } catch {
      this.#local.counters.dropped.malformed++;
      return undefined;
    }
  }

  #publishArguments(connection: RedisConnection, frame: string): string[] {
    return [`${connection.deadline}`, `${this.#settings.groupExpiryMs}`, frame];
  }

  #tellGap(gap: LayerGap): void {
    this.#local.tellGap(gap);
    for (const callback of this.#gapListeners) callback(gap);
    this.#queues.ring();
  }

  #assertOwn(channel: string): void {
    if (this.#local.names.owns(channel)) return;
    throw new TypeError(`Cannot read "${channel}": it lives in another process`);
  }
}

function assertRedisUrl(url: string): void {
  if (/^rediss?:\/\/./.test(url) && URL.canParse(url)) return;
  throw new TypeError("Cannot use the address of Redis: it takes redis://… or rediss://…");
}
