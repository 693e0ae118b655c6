import type { Bus, BusContext, Published } from "./bus.ts";
import { type BusAddress, decodeBusFrame, encodeBusFrame } from "./bus_frame.ts";
import type { BusFrame } from "./bus_frame.ts";
import { ownerOf } from "./channel_names.ts";
import type { QueueSource } from "./durable_queue.ts";
import { Echoes } from "./echoes.ts";
import type { LayerSettings } from "./layer_options.ts";
import { NOBODY } from "./local_channels.ts";
import { undelivered } from "./outcome.ts";
import type { PlainMessage } from "./plain_message.ts";
import type { RedisCipher } from "./redis_cipher.ts";
import {
  type RedisConnection,
  type RedisConnectionOptions,
  unavailable,
} from "./redis_connection.ts";
import { RedisDurable } from "./redis_durable.ts";
import type { RedisKeys } from "./redis_keys.ts";
import { RedisLink } from "./redis_link.ts";
import { RedisSubscriptions } from "./redis_subscriptions.ts";

/** Options of a {@linkcode RedisBus}. */
export interface RedisBusOptions extends Omit<RedisConnectionOptions, "onLost"> {
  readonly settings: LayerSettings;
  readonly keys: RedisKeys;
  readonly cipher: RedisCipher | undefined;
}

/** Redis as a {@linkcode Bus}: sharded pub/sub for what is there now, lists for what is kept. */
export class RedisBus implements Bus {
  readonly lookMs = 1_000;
  readonly #context: BusContext;
  readonly #settings: LayerSettings;
  readonly #keys: RedisKeys;
  readonly #cipher: RedisCipher | undefined;
  readonly #link: RedisLink;
  readonly #subscriptions: RedisSubscriptions;
  readonly #durable: RedisDurable;
  readonly #echoes: Echoes;
  #serial = 0;

  constructor(context: BusContext, options: RedisBusOptions) {
    const { settings, keys, cipher, ...connecting } = options;
    this.#context = context;
    this.#settings = settings;
    this.#keys = keys;
    this.#cipher = cipher;
    this.#echoes = new Echoes(context.local);
    const connection = () => this.#link.connection;
    this.#subscriptions = new RedisSubscriptions(connection);
    this.#link = new RedisLink(connecting, {
      restore: (connection) => this.#subscriptions.restore(connection),
      lost: () => this.#echoes.lost(),
      recovered: (gap) => context.gap(gap),
    });
    this.#durable = new RedisDurable({ keys, counters: context.local.counters, connection });
    const inbox = keys.inbox(context.local.names.process);
    this.#subscriptions.add(inbox, (text, name) => this.#receiveDirect(text, name));
  }

  async ready(): Promise<void> {
    await this.#link.ready();
  }

  groupBegan(group: string): void {
    this.#subscriptions.add(this.#keys.group(group), (text, name) => {
      this.#receiveForGroup(group, text, name);
    });
  }

  groupEnded(group: string): void {
    this.#subscriptions.remove(this.#keys.group(group));
    this.#echoes.groupEnded(group);
  }

  noted(group: string): Promise<void> {
    return this.#subscriptions.noted(this.#keys.group(group));
  }

  async publish(
    group: string,
    except: string | undefined,
    plain: PlainMessage,
  ): Promise<Published> {
    const connection = await this.#link.ready();
    const name = this.#keys.group(group);
    const frame = this.#encode(name, { group, except }, plain);
    // Commands and subscriptions share a connection: what is subscribed to now comes back.
    const echo = this.#context.local.hasGroup(group)
      ? this.#echoes.expect(frame, { group, plain, except })
      : undefined;
    try {
      const keys = [name, this.#keys.members(group)];
      const [reached, ...members] = await this.#script(connection, keys, frame);
      const here = await echo?.outcome() ?? NOBODY;
      return { here, members, processes: Math.max(0, reached - (echo === undefined ? 0 : 1)) };
    } catch (error) {
      echo?.forget();
      throw error;
    }
  }

  async sendThere(to: { channel: string; group?: string }, plain: PlainMessage): Promise<boolean> {
    const connection = await this.#link.ready();
    const name = this.#keys.inbox(ownerOf(to.channel)!);
    const [reached] = await this.#script(connection, [name], this.#encode(name, to, plain));
    if (reached === 0) this.#context.local.counters.dropped.nobody++;
    return reached > 0;
  }

  async push(channel: string, plain: PlainMessage): Promise<void> {
    const connection = await this.#link.ready();
    const frame = this.#encode(this.#keys.queue(channel), {}, plain);
    const capacity = this.#settings.capacityOf(channel);
    const { expiryMs } = this.#settings;
    const isTaken = await this.#durable.push(connection, channel, frame, { capacity, expiryMs });
    if (!isTaken) throw undelivered(channel, "full");
  }

  sourceOf(channel: string): QueueSource {
    return this.#durable.sourceOf(channel);
  }

  decode(frame: string, channel: string): PlainMessage {
    return this.#decode(frame, this.#keys.queue(channel)).plain;
  }

  opened(channel: string, ring: () => void): void {
    const bell = this.#keys.bell(channel);
    this.#subscriptions.add(bell, ring);
    // A bell that rang before it was heard is made up for.
    this.#subscriptions.noted(bell).then(ring, () => {});
  }

  closed(channel: string): void {
    this.#subscriptions.remove(this.#keys.bell(channel));
  }

  async addMember(group: string, channel: string): Promise<void> {
    const connection = await this.#link.ready();
    const expiry = `${this.#settings.groupExpiryMs}`;
    await connection.script("join", [this.#keys.members(group)], channel, expiry);
  }

  async removeMember(group: string, channel: string): Promise<void> {
    const connection = await this.#link.ready();
    await connection.command("ZREM", this.#keys.members(group), channel);
  }

  async check(): Promise<void> {
    await (await this.#link.ready()).command("PING");
  }

  async flush(): Promise<void> {
    const connection = await this.#link.ready();
    let cursor = "0";
    do {
      const pattern = `${this.#keys.prefix}:{*`;
      const reply = await connection.command("SCAN", cursor, "MATCH", pattern, "COUNT", "1000");
      const [next, keys] = reply as [string, string[]];
      for (const key of keys) await connection.command("UNLINK", key);
      cursor = String(next);
    } while (cursor !== "0");
  }

  close(): Promise<void> {
    this.#link.close();
    this.#echoes.lost();
    return Promise.resolve();
  }

  /** Returns how many processes got it, and the members that are kept. */
  async #script(
    connection: RedisConnection,
    keys: readonly string[],
    frame: string,
  ): Promise<[number, ...string[]]> {
    const args = [`${connection.deadline}`, `${this.#settings.groupExpiryMs}`, frame];
    const reply = await connection.script("publish", keys, ...args) as [number, ...string[]];
    if (reply[0] < 0) throw unavailable();
    return reply;
  }

  #receiveForGroup(group: string, text: string, name: string): void {
    if (this.#echoes.take(text)) return;
    const frame = this.#read(text, name);
    if (frame !== undefined) this.#context.receiveForGroup(group, frame.except, frame.plain);
  }

  #receiveDirect(text: string, name: string): void {
    const frame = this.#read(text, name);
    if (frame === undefined) return;
    const { channel, group, plain } = frame;
    const isOwn = channel !== undefined && this.#context.local.names.owns(channel);
    if (isOwn) this.#context.receiveDirect(channel, group, plain);
    else this.#context.malformed();
  }

  #encode(name: string, to: BusAddress, { message }: PlainMessage): string {
    const id = `${this.#context.local.names.process}.${(++this.#serial).toString(36)}`;
    const frame = encodeBusFrame(id, to, message);
    return this.#cipher?.encrypt(frame, name) ?? frame;
  }

  #decode(text: string, name: string): BusFrame {
    return decodeBusFrame(this.#cipher?.decrypt(text, name) ?? text);
  }

  #read(text: string, name: string): BusFrame | undefined {
    try {
      return this.#decode(text, name);
    } catch {
      this.#context.malformed();
      return undefined;
    }
  }
}
