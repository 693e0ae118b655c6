import type { Bus, BusContext, Published } from "../bus/bus.ts";
import type { BusFrame } from "../bus/bus_frame.ts";
import { ownerOf } from "../channel_names.ts";
import type { LayerGap } from "../channel_layer.ts";
import type { QueueSource } from "../durable/durable_lease.ts";
import { PendingOwnPublishes } from "../bus/pending_own_publishes.ts";
import { FrameCodec } from "../bus/frame_codec.ts";
import { InOrder } from "../durable/in_order.ts";
import type { LayerCipher } from "../bus/layer_cipher.ts";
import type { LayerSettings } from "../layer_options.ts";
import { undelivered } from "../local/outcome.ts";
import type { PlainMessage } from "../local/plain_message.ts";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { RedisDurable } from "./redis_durable.ts";
import { mapErrors } from "./map_errors.ts";
import type { RedisKeys } from "./redis_keys.ts";
import { REDIS_SCRIPTS } from "./redis_scripts.ts";
import type { ClusterTopologyOptions } from "../../redis/cluster_topology.ts";
import { ClusterClient } from "../../redis/cluster_client.ts";
import { RedisRedirection, unavailable } from "../../redis/errors.ts";

/** Options of a {@linkcode RedisBus}. */
export interface RedisBusOptions extends Omit<ClusterTopologyOptions, "proofName" | "scripts"> {
  readonly settings: LayerSettings;
  readonly keys: RedisKeys;
  readonly cipher: LayerCipher | undefined;
}

/** How many processes received a message, whether the stored members follow, and those members. */
type Reached = readonly [processes: number, isComplete: number, ...members: string[]];

/** Redis as a {@linkcode Bus}: sharded pub/sub for live messages, hashes for durable ones. */
export class RedisBus implements Bus {
  readonly pollMs = 1_000;
  readonly #context: BusContext;
  readonly #settings: LayerSettings;
  readonly #keys: RedisKeys;
  readonly #codec: FrameCodec;
  readonly #cluster: ClusterClient;
  readonly #durable: RedisDurable;
  readonly #pending: PendingOwnPublishes;
  readonly #inbox: string;
  readonly #keeping = new InOrder();

  constructor(context: BusContext, options: RedisBusOptions) {
    const { settings, keys, cipher, ...connecting } = options;
    this.#context = context;
    this.#settings = settings;
    this.#keys = keys;
    this.#pending = new PendingOwnPublishes(context.local);
    const { counters, names } = context.local;
    this.#codec = new FrameCodec(names.process, cipher);
    const proofName = this.#inbox = keys.inbox(names.process);
    const tellGap = (gap: LayerGap) => context.gap(gap);
    const scripts = Object.values(REDIS_SCRIPTS);
    this.#cluster = new ClusterClient({ ...connecting, proofName, scripts }, tellGap);
    const run = this.#run.bind(this);
    this.#durable = new RedisDurable({ ...settings, keys, counters, run });
    this.#cluster.listen(this.#inbox, (text, name) => this.#receiveDirect(text, name));
  }

  ready(): Promise<void> {
    return mapErrors(this.#cluster.subscribed(this.#inbox));
  }

  onFirstMember(group: string): void {
    const receive = (text: string, name: string) => this.#receiveForGroup(group, text, name);
    this.#cluster.listen(this.#keys.group(group), receive);
  }

  onLastMember(group: string): void {
    this.#cluster.leave(this.#keys.group(group));
  }

  /** Also waits for the inbox, because members can receive direct messages. */
  subscribed(group: string): Promise<void> {
    return mapErrors(this.#cluster.subscribed(this.#inbox, this.#keys.group(group)));
  }

  async publish(
    group: string,
    except: string | undefined,
    plain: PlainMessage,
  ): Promise<Published> {
    const startedAt = this.#settings.clock.elapsed();
    const name = this.#keys.group(group);
    const members = this.#keys.members(group);
    const frame = this.#codec.encode(name, { group, except }, plain);
    const isForHere = this.#context.local.hasGroup(group);
    if (isForHere) this.#pending.expect(frame, { group, plain, except });
    try {
      const [processes, isComplete, ...found] = await this.#run(name, (connection) => {
        return this.#publishAndHear(connection, [name, members], frame, startedAt);
      });
      return {
        here: this.#pending.outcome(frame),
        members: isComplete === 1
          ? this.#codec.decodeMembers(members, found)
          : await this.#membersAt(members),
        processes: Math.max(0, processes - (isForHere ? 1 : 0)),
      };
    } finally {
      this.#pending.forget(frame);
    }
  }

  async sendRemote(to: { channel: string; group?: string }, plain: PlainMessage): Promise<boolean> {
    const startedAt = this.#settings.clock.elapsed();
    const name = this.#keys.inbox(ownerOf(to.channel)!);
    const frame = this.#codec.encode(name, to, plain);
    const [reached] = await this.#run(name, (connection) => {
      return this.#publish(connection, [name], frame, startedAt);
    });
    if (reached === 0) this.#context.local.counters.dropped.nobody++;
    return reached > 0;
  }

  async push(channel: string, plain: PlainMessage): Promise<void> {
    const frame = this.#codec.encode(this.#keys.queue(channel), {}, plain);
    const capacity = this.#settings.capacityOf(channel);
    const isTaken = await this.#durable.push(channel, frame, capacity);
    if (!isTaken) throw undelivered(channel, "full");
  }

  sourceOf(channel: string): QueueSource {
    return this.#durable.sourceOf(channel);
  }

  decode(frame: string, channel: string): PlainMessage {
    return this.#codec.decode(frame, this.#keys.queue(channel)).plain;
  }

  opened(channel: string, ring: () => void): void {
    const bell = this.#keys.wakeup(channel);
    this.#cluster.listen(bell, ring);
    // Makes up for a notification that was published before the subscription was active.
    this.#cluster.subscribed(bell).then(ring, () => {});
  }

  closed(channel: string): void {
    this.#cluster.leave(this.#keys.wakeup(channel));
  }

  async addMember(group: string, channel: string): Promise<void> {
    const members = this.#keys.members(group);
    const expiry = `${this.#settings.groupExpiryMs}`;
    const [form] = this.#codec.memberForms(members, channel);
    await this.#keeping.run(`${group} ${channel}`, () => {
      return this.#run(members, (node) => node.script(REDIS_SCRIPTS.join, [members], form, expiry));
    });
  }

  async removeMember(group: string, channel: string): Promise<void> {
    const members = this.#keys.members(group);
    const forms = this.#codec.memberForms(members, channel);
    await this.#keeping.run(`${group} ${channel}`, () => {
      return this.#run(members, (node) => node.command("ZREM", members, ...forms));
    });
  }

  /** Pub/sub messages share the connection with commands and arrive before replies to later ones. */
  async flushInbound(): Promise<void> {
    await this.#run(this.#inbox, (node) => node.command("PING"));
  }

  check(): Promise<void> {
    return mapErrors(this.#cluster.check(this.#inbox));
  }

  async flush(): Promise<void> {
    const pattern = `${this.#keys.root}:{*`;
    await mapErrors(this.#cluster.everywhere(async (node) => {
      let cursor = "0";
      do {
        const reply = await node.command("SCAN", cursor, "MATCH", pattern, "COUNT", "1000");
        const [next, keys] = reply as readonly [string, readonly string[]];
        for (const key of keys) await node.command("UNLINK", key);
        cursor = String(next);
      } while (cursor !== "0");
    }));
  }

  close(): Promise<void> {
    this.#cluster.close();
    return Promise.resolve();
  }

  #run<T>(name: string, work: (connection: RedisConnection) => Promise<T>): Promise<T> {
    return mapErrors(this.#cluster.run(name, work));
  }

  /**
   * Publishes, and resolves after the frame has come back or is lost. Commands and subscriptions share
   * a connection, on which the frame arrives before the reply to a later command.
   */
  async #publishAndHear(
    connection: RedisConnection,
    names: readonly [string, ...string[]],
    frame: string,
    startedAt: number,
  ): Promise<Reached> {
    const isExpected = this.#pending.isOut(frame);
    // The subscription is about to move to another node.
    if (isExpected && !this.#cluster.isSubscribed(names[0], connection)) {
      throw new RedisRedirection("later");
    }
    const reached = await this.#publish(connection, names, frame, startedAt);
    // It has been published: if the connection is lost now, local members get a gap.
    if (isExpected && this.#pending.isOut(frame)) await connection.command("PING").catch(() => {});
    return reached;
  }

  /** Publishes a frame with the `publish` script. */
  async #publish(
    connection: RedisConnection,
    names: readonly string[],
    frame: string,
    startedAt: number,
  ): Promise<Reached> {
    const deadline = `${connection.deadline(startedAt)}`;
    const args = [deadline, `${this.#settings.groupExpiryMs}`, frame];
    const reply = this.#cluster.isCluster
      ? await connection.script(REDIS_SCRIPTS.publish, [], ...args, ...names)
      : await connection.script(REDIS_SCRIPTS.publish, names, ...args);
    const reached = reply as Reached;
    if (reached[0] === -2) throw new RedisRedirection("moved");
    if (reached[0] < 0) throw unavailable();
    return reached;
  }

  async #membersAt(members: string): Promise<readonly string[]> {
    const expiry = `${this.#settings.groupExpiryMs}`;
    const reply = await this.#run(members, (node) => {
      return node.script(REDIS_SCRIPTS.members, [members], expiry);
    });
    return this.#codec.decodeMembers(members, reply as readonly string[]);
  }

  #receiveForGroup(group: string, text: string, name: string): void {
    if (this.#pending.take(text)) return;
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

  #read(text: string, name: string): BusFrame | undefined {
    try {
      return this.#codec.decode(text, name);
    } catch {
      this.#context.malformed();
      return undefined;
    }
  }
}
