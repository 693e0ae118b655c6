import type { Bus, BusContext, Published } from "../bus/bus.ts";
import { ownerOf } from "../channel_names.ts";
import type { QueueSource } from "../durable/durable_lease.ts";
import { PendingOwnPublishes } from "../bus/pending_own_publishes.ts";
import { type BusFrame, FrameCodec } from "../bus/frame_codec.ts";
import type { LayerCipher } from "../bus/layer_cipher.ts";
import type { LayerSettings } from "../layer_options.ts";
import { assertTaken, closedError, LayerError } from "../layer_error.ts";
import type { PlainMessage } from "../input.ts";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { RedisDurable, type RunOnRedis } from "./redis_durable.ts";
import type { RedisKeys } from "./redis_keys.ts";
import { RedisMembers } from "./redis_members.ts";
import { REDIS_SCRIPTS } from "./redis_scripts.ts";
import type { ClusterTopologyOptions } from "../../redis/cluster_topology.ts";
import { ClusterClient } from "../../redis/cluster_client.ts";
import { RedisError, RedisRedirection, unavailable } from "../../redis/errors.ts";

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
  readonly #run: RunOnRedis;
  readonly #durable: RedisDurable;
  readonly #members: RedisMembers;
  readonly #pending: PendingOwnPublishes;
  readonly #inbox: string;

  constructor(context: BusContext, options: RedisBusOptions) {
    const { settings, keys, cipher, ...connecting } = options;
    this.#context = context;
    this.#settings = settings;
    this.#keys = keys;
    this.#pending = new PendingOwnPublishes(context.local);
    const { counters, names } = context.local;
    this.#codec = new FrameCodec(names.process, cipher);
    const proofName = this.#inbox = keys.inbox(names.process);
    const scripts = Object.values(REDIS_SCRIPTS);
    this.#cluster = new ClusterClient({ ...connecting, proofName, scripts }, context.gap);
    const run = this.#run = (name, work) => mapErrors(this.#cluster.run(name, work));
    this.#durable = new RedisDurable({ ...settings, keys, counters, run });
    this.#members = new RedisMembers(run, this.#codec, keys, settings.groupExpiryMs);
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
    const isForHere = this.#context.local.groups.has(group);
    if (isForHere) this.#pending.expect(frame, { group, plain, except });
    try {
      const [processes, isComplete, ...found] = await this.#run(name, (connection) => {
        return this.#publishAndHear(connection, [name, members], frame, startedAt);
      });
      return {
        here: this.#pending.outcome(frame),
        members: isComplete === 1
          ? this.#codec.decodeMembers(members, found)
          : await this.#members.list(group),
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
    assertTaken(channel, isTaken ? "queued" : "full");
  }

  sourceOf(channel: string): QueueSource {
    return this.#durable.sourceOf(channel);
  }

  decode(frame: string, channel: string): PlainMessage {
    return this.#codec.decode(frame, this.#keys.queue(channel)).plain;
  }

  opened(channel: string, notify: () => void): void {
    const wakeup = this.#keys.wakeup(channel);
    this.#cluster.listen(wakeup, notify);
    // Makes up for a notification that was published before the subscription was active.
    this.#cluster.subscribed(wakeup).then(notify, () => {});
  }

  closed(channel: string): void {
    this.#cluster.leave(this.#keys.wakeup(channel));
  }

  addMember(group: string, channel: string): Promise<void> {
    return this.#members.add(group, channel);
  }

  removeMember(group: string, channel: string): Promise<void> {
    return this.#members.remove(group, channel);
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

  #receiveForGroup(group: string, text: string, name: string): void {
    if (this.#pending.take(text)) return;
    const frame = this.#read(text, name);
    if (frame !== undefined) this.#context.receiveForGroup(group, frame.except, frame.plain);
  }

  #receiveDirect(text: string, name: string): void {
    const frame = this.#read(text, name);
    if (frame === undefined) return;
    const { channel = "", group, plain } = frame;
    const isOwn = this.#context.local.names.owns(channel);
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

/** Settles as `work` does, with a {@linkcode LayerError} in place of an error of the Redis client. */
async function mapErrors<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RedisError)) throw error;
    const { code, message, cause } = error;
    throw code === "CLOSED" ? closedError() : new LayerError(code, message, { cause });
  }
}
