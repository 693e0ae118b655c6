import type { Clock } from "../scope.ts";
import type { Bus, BusContext, Published } from "./bus.ts";
import { type BusAddress, decodeBusFrame, encodeBusFrame } from "./bus_frame.ts";
import { ownerOf } from "./channel_names.ts";
import type { QueueSource } from "./durable_lease.ts";
import { Echoes } from "./echoes.ts";
import type { KvAccess } from "./kv_access.ts";
import { KvDurable } from "./kv_durable.ts";
import { KvFollower } from "./kv_follower.ts";
import { KvLog, type LogEntry } from "./kv_log.ts";
import type { LayerSettings } from "./layer_options.ts";
import { NOBODY } from "./local_channels.ts";
import { undelivered } from "./outcome.ts";
import type { PlainMessage } from "./plain_message.ts";

/** Options of a {@linkcode KvBus}. */
export interface KvBusOptions {
  readonly access: KvAccess;
  readonly settings: LayerSettings;
  readonly clock: Clock;
  readonly prefix: string;
  readonly retentionMs: number;
  readonly maxEntries: number;
  readonly maxPendingBytes: number;
  readonly pollMs: number;
}

/** Deno KV as a {@linkcode Bus}: a log for what passes, and numbered messages for what is kept. */
export class KvBus implements Bus {
  readonly lookMs: number;
  readonly #context: BusContext;
  readonly #options: KvBusOptions;
  readonly #log: KvLog;
  readonly #follower: KvFollower;
  readonly #durable: KvDurable;
  readonly #echoes: Echoes;
  #serial = 0;

  constructor(context: BusContext, options: KvBusOptions) {
    const { access, settings, clock, prefix, pollMs } = options;
    const { local } = context;
    this.lookMs = pollMs;
    this.#context = context;
    this.#options = options;
    this.#echoes = new Echoes(local);
    const log = this.#log = new KvLog(options);
    this.#follower = new KvFollower({
      log,
      clock,
      pollMs,
      isWanted: () => !local.isEmpty,
      take: (entry) => this.#take(entry),
      gap: (gap) => context.gap(gap),
    });
    this.#durable = new KvDurable({ ...settings, access, prefix, counters: local.counters });
  }

  /** The key that changes with every entry, and what to do then: for who can watch it. */
  get news(): { readonly key: Deno.KvKey; look(): Promise<void> } {
    return { key: this.#log.headKey, look: () => this.#follower.look() };
  }

  ready(): Promise<void> {
    return this.#follower.start();
  }

  groupBegan(): void {}

  groupEnded(group: string): void {
    this.#echoes.groupEnded(group);
  }

  /** What was sent before is taken before, so that it does not reach who came later. */
  noted(): Promise<void> {
    return this.#follower.look();
  }

  async publish(
    group: string,
    except: string | undefined,
    plain: PlainMessage,
  ): Promise<Published> {
    const frame = this.#encode({ group, except }, plain);
    const echo = this.#context.local.hasGroup(group)
      ? this.#echoes.expect(frame, { group, plain, except })
      : undefined;
    try {
      const appended = this.#append(`g:${group}`, frame, echo !== undefined);
      const [members] = await Promise.all([this.#membersOf(group), appended]);
      return { here: await echo?.outcome() ?? NOBODY, members, processes: undefined };
    } catch (error) {
      echo?.forget();
      throw error;
    }
  }

  async sendThere(to: { channel: string; group?: string }, plain: PlainMessage): Promise<boolean> {
    await this.#append(`p:${ownerOf(to.channel)}`, this.#encode(to, plain), false);
    return true;
  }

  async push(channel: string, plain: PlainMessage): Promise<void> {
    const capacity = this.#options.settings.capacityOf(channel);
    const isTaken = await this.#durable.push(channel, this.#encode({}, plain), capacity);
    if (!isTaken) throw undelivered(channel, "full");
  }

  sourceOf(channel: string): QueueSource {
    return this.#durable.sourceOf(channel);
  }

  decode(frame: string): PlainMessage {
    return decodeBusFrame(frame).plain;
  }

  async addMember(group: string, channel: string): Promise<void> {
    const { access, clock, settings: { groupExpiryMs: expireIn } } = this.#options;
    const key = this.#memberKey(group, channel);
    await access.run((kv) => kv.set(key, clock.now() + expireIn, { expireIn }));
  }

  async removeMember(group: string, channel: string): Promise<void> {
    const key = this.#memberKey(group, channel);
    await this.#options.access.run(async (kv) => {
      await kv.delete(key);
      return true;
    });
  }

  caughtUp(): Promise<void> {
    return this.#follower.look();
  }

  async check(): Promise<void> {
    await this.#log.head();
  }

  /** The head stays: numbers are used once. */
  async flush(): Promise<void> {
    const { access, prefix } = this.#options;
    await access.run(async (kv) => {
      for await (const { key } of kv.list({ prefix: [prefix] })) {
        if (key[1] === "queue" || key[1] === "member" || key[1] === "first") await kv.delete(key);
        if (key[1] === "next") await kv.delete(key);
      }
      return true;
    });
  }

  close(): Promise<void> {
    this.#follower.close();
    this.#options.access.close();
    this.#echoes.lost();
    return Promise.resolve();
  }

  async #append(to: string, frame: string, isForHere: boolean): Promise<void> {
    const number = await this.#log.append(to, frame);
    const entry: LogEntry = { to, stored: { frame } };
    if (isForHere || !this.#context.local.isEmpty) await this.#follower.advance(number, entry);
  }

  async #take(entry: unknown): Promise<void> {
    if (!isLogEntry(entry)) return this.#context.malformed();
    const name = entry.to.slice(2);
    const { local } = this.#context;
    if (entry.to.startsWith("g:") ? !local.hasGroup(name) : name !== local.names.process) return;
    try {
      const frame = await this.#log.load(entry.stored);
      if (!this.#echoes.take(frame)) this.#receive(name, frame);
    } catch {
      this.#context.malformed();
    }
  }

  #receive(name: string, text: string): void {
    const { channel, group, except, plain } = decodeBusFrame(text);
    if (channel === undefined) return this.#context.receiveForGroup(name, except, plain);
    if (!this.#context.local.names.owns(channel)) throw new Error("Not a channel of this process");
    this.#context.receiveDirect(channel, group, plain);
  }

  #encode(to: BusAddress, { message }: PlainMessage): string {
    const id = `${this.#context.local.names.process}.${(++this.#serial).toString(36)}`;
    return encodeBusFrame(id, to, message);
  }

  #memberKey(group: string, channel: string): Deno.KvKey {
    return [this.#options.prefix, "member", group, channel];
  }

  #membersOf(group: string): Promise<string[]> {
    const { access, clock, prefix } = this.#options;
    return access.run(async (kv) => {
      const members: string[] = [];
      for await (const { key, value } of kv.list<number>({ prefix: [prefix, "member", group] })) {
        if (value > clock.now()) members.push(String(key[3]));
      }
      return members;
    });
  }
}

function isLogEntry(entry: unknown): entry is LogEntry {
  if (typeof entry !== "object" || entry === null) return false;
  const { to, stored } = entry as Partial<LogEntry>;
  return typeof to === "string" && /^[gp]:/.test(to) && typeof stored === "object" &&
    stored !== null && ("frame" in stored ? typeof stored.frame === "string" : "parts" in stored);
}
