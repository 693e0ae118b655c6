import type { Bus, BusContext, Published } from "./bus.ts";
import { type BusAddress, decodeBusFrame, encodeBusFrame } from "./bus_frame.ts";
import type { BusFrame } from "./bus_frame.ts";
import { ownerOf } from "./channel_names.ts";
import type { QueueSource } from "./durable_lease.ts";
import { type Echo, Echoes } from "./echoes.ts";
import type { LayerSettings } from "./layer_options.ts";
import { NOBODY } from "./local_channels.ts";
import { undelivered } from "./outcome.ts";
import type { PlainMessage } from "./plain_message.ts";
import type { RedisCipher } from "./redis_cipher.ts";
import type { RedisConnection } from "./redis_connection.ts";
import { RedisDurable } from "./redis_durable.ts";
import type { RedisKeys } from "./redis_keys.ts";
import type { RedisHomeOptions } from "./redis_home.ts";
import { RedisNodes } from "./redis_nodes.ts";
import { RedisRedirection, unavailable } from "./redis_refusal.ts";

/** Options of a {@linkcode RedisBus}. */
export interface RedisBusOptions extends RedisHomeOptions {
  readonly settings: LayerSettings;
  readonly keys: RedisKeys;
  readonly cipher: RedisCipher | undefined;
}

/** Redis as a {@linkcode Bus}: sharded pub/sub for what is there now, hashes for what is kept. */
export class RedisBus implements Bus {
  readonly lookMs = 1_000;
  readonly #context: BusContext;
  readonly #settings: LayerSettings;
  readonly #keys: RedisKeys;
  readonly #cipher: RedisCipher | undefined;
  readonly #nodes: RedisNodes;
  readonly #durable: RedisDurable;
  readonly #echoes: Echoes;
  readonly #inbox: string;
  #serial = 0;

  constructor(context: BusContext, options: RedisBusOptions) {
    const { settings, keys, cipher, ...connecting } = options;
    this.#context = context;
    this.#settings = settings;
    this.#keys = keys;
    this.#cipher = cipher;
    this.#echoes = new Echoes(context.local);
    const { counters, names } = context.local;
    const nodes = this.#nodes = new RedisNodes(connecting, (gap) => context.gap(gap));
    this.#durable = new RedisDurable({ ...settings, keys, counters, nodes });
    this.#inbox = keys.inbox(names.process);
    nodes.listen(this.#inbox, { receive: (text, name) => this.#receiveDirect(text, name) });
  }

  /** Whoever is a member can be sent to, too. */
  async ready(): Promise<void> {
    await this.#nodes.noted(this.#inbox);
  }

  groupBegan(group: string): void {
    this.#nodes.listen(this.#keys.group(group), {
      receive: (text, name) => this.#receiveForGroup(group, text, name),
      lost: () => this.#echoes.groupLost(group),
    });
  }

  groupEnded(group: string): void {
    this.#nodes.leave(this.#keys.group(group));
    this.#echoes.groupEnded(group);
  }

  noted(group: string): Promise<void> {
    return this.#nodes.noted(this.#keys.group(group));
  }

  async publish(
    group: string,
    except: string | undefined,
    plain: PlainMessage,
  ): Promise<Published> {
    const startedAt = this.#settings.clock.now();
    const name = this.#keys.group(group);
    const members = this.#keys.members(group);
    const frame = this.#encode(name, { group, except }, plain);
    const [here, reached] = await this.#nodes.run(name, async (connection) => {
      const echo = this.#expect(frame, { group, plain, except }, connection);
      try {
        const reached = await this.#publish(connection, [name, members], frame, startedAt);
        return [await echo?.outcome(), reached] as const;
      } catch (error) {
        echo?.forget();
        throw error;
      }
    });
    const [processes, isComplete, ...found] = reached;
    return {
      here: here ?? NOBODY,
      members: isComplete === 1 ? found : await this.#membersAt(members),
      processes: Math.max(0, processes - (here === undefined ? 0 : 1)),
    };
  }

  async sendThere(to: { channel: string; group?: string }, plain: PlainMessage): Promise<boolean> {
    const startedAt = this.#settings.clock.now();
    const name = this.#keys.inbox(ownerOf(to.channel)!);
    const frame = this.#encode(name, to, plain);
    const [reached] = await this.#nodes.run(name, (connection) => {
      return this.#publish(connection, [name], frame, startedAt);
    });
    if (reached === 0) this.#context.local.counters.dropped.nobody++;
    return reached > 0;
  }

  async push(channel: string, plain: PlainMessage): Promise<void> {
    const frame = this.#encode(this.#keys.queue(channel), {}, plain);
    const capacity = this.#settings.capacityOf(channel);
    const isTaken = await this.#durable.push(channel, frame, capacity);
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
    this.#nodes.listen(bell, { receive: ring });
    // A bell that rang before it was heard is made up for.
    this.#nodes.noted(bell).then(ring, () => {});
  }

  closed(channel: string): void {
    this.#nodes.leave(this.#keys.bell(channel));
  }

  async addMember(group: string, channel: string): Promise<void> {
    const members = this.#keys.members(group);
    const expiry = `${this.#settings.groupExpiryMs}`;
    await this.#nodes.run(members, (node) => node.script("join", [members], channel, expiry));
  }

  async removeMember(group: string, channel: string): Promise<void> {
    const members = this.#keys.members(group);
    await this.#nodes.run(members, (node) => node.command("ZREM", members, channel));
  }

  /** What is published is pushed over the connection of the commands, before the answer to a later one. */
  async caughtUp(): Promise<void> {
    await this.#nodes.run(this.#inbox, (node) => node.command("PING"));
  }

  async check(): Promise<void> {
    await this.#nodes.check();
    await this.ready();
  }

  async flush(): Promise<void> {
    const pattern = `${this.#keys.prefix}:{*`;
    await this.#nodes.everywhere(async (node) => {
      let cursor = "0";
      do {
        const reply = await node.command("SCAN", cursor, "MATCH", pattern, "COUNT", "1000");
        const [next, keys] = reply as readonly [string, readonly string[]];
        for (const key of keys) await node.command("UNLINK", key);
        cursor = String(next);
      } while (cursor !== "0");
    });
  }

  close(): Promise<void> {
    this.#nodes.close();
    this.#echoes.lost();
    return Promise.resolve();
  }

  /**
   * Expects a message back, where it has members here: commands and subscriptions share a connection,
   * so that what is subscribed to now comes back.
   */
  #expect(frame: string, echo: Echo, connection: RedisConnection) {
    if (!this.#context.local.hasGroup(echo.group)) return undefined;
    if (this.#nodes.hears(this.#keys.group(echo.group), connection)) {
      return this.#echoes.expect(frame, echo);
    }
    // It is about to listen elsewhere.
    throw new RedisRedirection("later");
  }

  /** Returns how many processes got it, whether the members that are kept are here, and those. */
  async #publish(
    connection: RedisConnection,
    names: readonly string[],
    frame: string,
    startedAt: number,
  ): Promise<readonly [number, number, ...string[]]> {
    const deadline = `${connection.deadline(startedAt)}`;
    const args = [deadline, `${this.#settings.groupExpiryMs}`, frame];
    const reply = this.#nodes.isCluster
      ? await connection.script("publish", [], ...args, ...names)
      : await connection.script("publish", names, ...args);
    const reached = reply as readonly [number, number, ...string[]];
    if (reached[0] === -2) throw new RedisRedirection("moved");
    if (reached[0] < 0) throw unavailable();
    return reached;
  }

  async #membersAt(members: string): Promise<readonly string[]> {
    const expiry = `${this.#settings.groupExpiryMs}`;
    const reply = await this.#nodes.run(members, (node) => {
      return node.script("members", [members], expiry);
    });
    return reply as readonly string[];
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
