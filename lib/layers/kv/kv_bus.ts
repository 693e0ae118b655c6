import type { Clock } from "../../core/clock.ts";
import type { Bus, BusContext, Published } from "../bus/bus.ts";
import { ownerOf } from "../channel_names.ts";
import type { QueueSource } from "../durable/durable_lease.ts";
import { PendingOwnPublishes } from "../bus/pending_own_publishes.ts";
import { FrameCodec } from "../bus/frame_codec.ts";
import { InOrder } from "../durable/in_order.ts";
import type { KvAccess } from "./kv_access.ts";
import { type KeyValue, type KvKey, listAll } from "../../kv/mod.ts";
import { KvDurable } from "./kv_durable.ts";
import { KvFollower } from "./kv_follower.ts";
import { MissingParts } from "./kv_frames.ts";
import { KvLog, type LogEntry } from "./kv_log.ts";
import type { LayerCipher } from "../bus/layer_cipher.ts";
import { assertTaken, LayerError } from "../layer_error.ts";
import type { LayerSettings } from "../layer_options.ts";
import type { PlainMessage } from "../input.ts";

/** Options of a {@linkcode KvBus}. */
export interface KvBusOptions {
  readonly access: KvAccess;
  readonly kv: KeyValue;
  readonly settings: LayerSettings;
  readonly clock: Clock;
  readonly prefix: string;
  readonly cipher: LayerCipher | undefined;
  readonly retentionMs: number;
  readonly maxEntries: number;
  readonly maxPendingBytes: number;
  readonly pollMs: number;
}

/** A database as a {@linkcode Bus}: a log for live messages, and numbered entries for durable ones. */
export class KvBus implements Bus {
  readonly pollMs: number;
  readonly #context: BusContext;
  readonly #options: KvBusOptions;
  readonly #log: KvLog;
  readonly #follower: KvFollower;
  readonly #durable: KvDurable;
  readonly #echoes: PendingOwnPublishes;
  readonly #codec: FrameCodec;
  readonly #keeping = new InOrder();
  readonly #stopHints: () => void;
  /** Whether a hint waits for the end of a write. */
  #isHearing = false;

  constructor(context: BusContext, options: KvBusOptions) {
    const { access, settings, clock, prefix, pollMs } = options;
    const { local } = context;
    this.pollMs = pollMs;
    this.#context = context;
    this.#options = options;
    this.#echoes = new PendingOwnPublishes(local);
    this.#codec = new FrameCodec(local.names.process, options.cipher);
    const log = this.#log = new KvLog(options);
    this.#follower = new KvFollower({
      log,
      clock,
      pollMs,
      isWanted: () => !local.isEmpty,
      take: (entry) => this.#take(entry),
      gap: (gap) => context.gap(gap),
    });
    this.#stopHints = log.onAppend(() => void this.#hear().catch(() => {}));
    this.#durable = new KvDurable({ ...settings, access, prefix, counters: local.counters });
  }

  ready(): Promise<void> {
    return this.#options.access.within(this.#follower.start());
  }

  onFirstMember(): void {}

  onLastMember(): void {}

  /** Consumes earlier messages first, so that they do not reach a member that joined later. */
  subscribed(): Promise<void> {
    return this.flushInbound();
  }

  async publish(
    group: string,
    except: string | undefined,
    plain: PlainMessage,
  ): Promise<Published> {
    const { access } = this.#options;
    const to = `g:${group}`;
    const frame = this.#codec.encode(this.#place(to), { group, except }, plain);
    const isForHere = this.#context.local.groups.has(group);
    if (isForHere) this.#echoes.expect(frame, { group, plain, except });
    try {
      const appended = access.within(this.#append(to, frame, isForHere));
      const [members] = await Promise.all([this.#membersOf(group), appended]);
      // The log has been read up to the entry: a frame that did not come back is gone from the log.
      return { here: this.#echoes.outcome(frame), members, processes: undefined };
    } finally {
      this.#echoes.forget(frame);
    }
  }

  async sendRemote(to: { channel: string; group?: string }, plain: PlainMessage): Promise<boolean> {
    const inbox = `p:${ownerOf(to.channel)}`;
    const frame = this.#codec.encode(this.#place(inbox), to, plain);
    await this.#options.access.within(this.#append(inbox, frame, false));
    return true;
  }

  async push(channel: string, plain: PlainMessage): Promise<void> {
    const capacity = this.#options.settings.capacityOf(channel);
    const frame = this.#codec.encode(this.#place(`c:${channel}`), {}, plain);
    const isTaken = await this.#durable.push(channel, frame, capacity);
    assertTaken(channel, isTaken ? "queued" : "full");
  }

  sourceOf(channel: string): QueueSource {
    return this.#durable.sourceOf(channel);
  }

  decode(frame: string, channel: string): PlainMessage {
    return this.#codec.decode(frame, this.#place(`c:${channel}`)).plain;
  }

  async addMember(group: string, channel: string): Promise<void> {
    const { clock, settings: { groupExpiryMs: expireInMs } } = this.#options;
    const [key] = this.#memberKeys(group, channel);
    await this.#keep(`${group} ${channel}`, (kv) => {
      return kv.set(key, clock.now() + expireInMs, { expireInMs });
    });
  }

  async removeMember(group: string, channel: string): Promise<void> {
    const keys = this.#memberKeys(group, channel);
    await this.#keep(`${group} ${channel}`, async (kv) => {
      for (const key of keys) await kv.delete(key);
      return true;
    });
  }

  flushInbound(): Promise<void> {
    return this.#options.access.within(this.#follower.look());
  }

  async check(): Promise<void> {
    await this.#log.head();
  }

  /** Keeps the head, because log numbers are never reused. */
  async flush(): Promise<void> {
    const { access, prefix } = this.#options;
    await access.run(async (kv) => {
      for (const part of ["queue", "member", "front", "next"]) {
        for await (const { key } of listAll(kv, { prefix: [prefix, part] })) await kv.delete(key);
      }
      return true;
    });
  }

  close(): Promise<void> {
    this.#stopHints();
    this.#follower.close();
    this.#options.access.close();
    return Promise.resolve();
  }

  /** Writes in the order of the calls. The time limit of each write counts from its call. */
  #keep(member: string, write: (kv: KeyValue) => Promise<unknown>): Promise<unknown> {
    const { access, clock } = this.#options;
    const since = clock.elapsed();
    return this.#keeping.run(member, () => access.run(write, since));
  }

  /** Reads what others have written. While this process writes, it does so anyway. */
  async #hear(): Promise<void> {
    if (this.#isHearing) return;
    this.#isHearing = true;
    await this.#log.idle();
    this.#isHearing = false;
    if (!this.#context.local.isEmpty) await this.#follower.look();
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
    if (entry.to.startsWith("g:") ? !local.groups.has(name) : name !== local.names.process) return;
    try {
      const frame = await this.#log.load(entry.stored);
      if (!this.#echoes.take(frame)) this.#receive(entry.to, frame);
    } catch (error) {
      // An entry that cannot be read now is retried later.
      if (error instanceof LayerError && !(error.cause instanceof MissingParts)) throw error;
      this.#context.malformed();
    }
  }

  #receive(to: string, text: string): void {
    const { channel, group, except, plain } = this.#codec.decode(text, this.#place(to));
    if (channel === undefined) return this.#context.receiveForGroup(to.slice(2), except, plain);
    if (!this.#context.local.names.owns(channel)) throw new Error("Not a channel of this process");
    this.#context.receiveDirect(channel, group, plain);
  }

  /** The place that an encrypted frame is bound to. */
  #place(to: string): string {
    return `${this.#options.prefix} ${to}`;
  }

  /** The keys under which a member may be stored; new members use the first. */
  #memberKeys(group: string, channel: string): readonly [KvKey, ...KvKey[]] {
    const keyOf = (form: string) => [this.#options.prefix, "member", group, form];
    const [first, ...others] = this.#codec.memberForms(this.#place(`m:${group}`), channel);
    return [keyOf(first), ...others.map(keyOf)];
  }

  #membersOf(group: string): Promise<readonly string[]> {
    const { access, clock, prefix } = this.#options;
    return access.run(async (kv) => {
      const forms: string[] = [];
      const range = { prefix: [prefix, "member", group] };
      for await (const { key, value } of listAll<number>(kv, range)) {
        if (value > clock.now()) forms.push(String(key[3]));
      }
      return this.#codec.decodeMembers(this.#place(`m:${group}`), forms);
    });
  }
}

function isLogEntry(entry: unknown): entry is LogEntry {
  if (typeof entry !== "object" || entry === null) return false;
  const { to, stored } = entry as Partial<LogEntry>;
  return typeof to === "string" && /^[gp]:/.test(to) && typeof stored === "object" &&
    stored !== null && ("frame" in stored ? typeof stored.frame === "string" : "parts" in stored);
}
