import type { ChannelLayer } from "../layers/mod.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import type { Connection } from "../core/connection.ts";
import type { Log } from "../core/log.ts";
import { StateSync } from "../cluster/state_sync.ts";
import { within } from "../core/within.ts";
import { type Change, copyMeta, presenceChanges } from "./presence_change.ts";
import { MemberMessages } from "./member_messages.ts";
import { isSame, type PresenceEntry } from "./state.ts";
import {
  checkEntryBytes,
  type PresenceMessages,
  type PresenceOptions,
  SEND_TIMEOUT_MS,
  STEP_MS,
} from "./presence_options.ts";
import { Topic } from "./topic.ts";
import { type Visitor, Visitors } from "./visitors.ts";

/**
 * Tracks the users in a group over all tabs and all processes. Each user is listed once.
 *
 * A group receives one message when a user's first connection enters, and one when the last has left.
 * Each process notifies its own members, from the state of all processes, so these messages always
 * match the list.
 *
 * Lists repair themselves: the users of a killed process are removed within `timeoutMs` and two
 * heartbeats (10 s), and those of a suspended or disconnected process return when it does. A process
 * that cannot reach the others keeps the list that it has.
 *
 * @example
 * ```ts
 * import { MemoryChannelLayer } from "@sluice/sluice";
 * import { Presence } from "@sluice/sluice/presence";
 * import assert from "node:assert/strict";
 *
 * const presence = new Presence<string>(new MemoryChannelLayer(), {
 *   joined: (name) => ({ type: "joined", data: { name } }),
 *   left: (name) => ({ type: "left", data: { name } }),
 * });
 * assert.deepEqual(presence.list("chat.lobby"), []);
 * ```
 */
export class Presence<M> implements AsyncDisposable {
  readonly #layer: ChannelLayer;
  readonly #messages: MemberMessages<M>;
  readonly #clock: Clock;
  readonly #log: Pick<Log, "warn"> | undefined;
  readonly #maxEntryBytes: number;
  readonly #topics = new Map<string, Topic<M>>();
  readonly #visitors: Visitors<M>;
  /** Undefined if the layer does not span processes. */
  readonly #sync: StateSync<Change<M>> | undefined;
  #isReady = false;
  #lastTime = 0;

  /**
   * Creates the presence of the groups of a layer.
   *
   * @throws {RangeError} `maxEntryBytes` is not between 1 and 131072.
   */
  constructor(
    layer: ChannelLayer,
    messages: PresenceMessages<M>,
    options: PresenceOptions = {},
  ) {
    const { clock = systemClock, leaveDelayMs = 2_000, maxEntryBytes = 16_384 } = options;
    checkEntryBytes(maxEntryBytes);
    this.#layer = layer;
    this.#messages = new MemberMessages(messages, options.log);
    this.#clock = clock;
    this.#log = options.log;
    this.#maxEntryBytes = maxEntryBytes;
    const left = ({ group, key }: Visitor<M>) => void this.#change([group, key, null]);
    this.#visitors = new Visitors({ clock, leaveDelayMs, left });
    if (!layer.extensions.includes("processes")) return;
    this.#sync = new StateSync<Change<M>>({
      layer,
      clock,
      log: options.log,
      goodbyeMs: leaveDelayMs,
      group: options.controlGroup ?? "presence",
      type: "presence",
      changes: presenceChanges<M>(maxEntryBytes),
      heartbeatMs: options.heartbeatMs ?? 2_000,
      timeoutMs: options.timeoutMs ?? 6_000,
      syncTimeoutMs: options.syncTimeoutMs ?? 500,
      state: () => this.#visitors.entries(),
      change: (process, change) => void this.#apply(process, change),
    });
  }

  /**
   * The number of messages and entries that were dropped because they could not be read or sent, such
   * as those of another version. The first one is logged. A dropped entry does not affect others.
   */
  get dropped(): number {
    return this.#sync?.dropped ?? 0;
  }

  /**
   * Adds a user to the group until the connection ends or calls {@linkcode leave}, and returns the users
   * in the group.
   *
   * The user's first connection notifies the group, except the channel `except`. `meta` is plain data
   * that all members see; it replaces the user's earlier `meta`.
   *
   * @throws {PresenceError} `INVALID_ENTRY`: `meta` holds a value that JSON does not preserve.
   * `ENTRY_TOO_LARGE`: the entry is larger than `maxEntryBytes`.
   */
  async enter(
    group: string,
    member: { readonly key: string; readonly meta: M },
    options: { readonly connection: Connection; readonly except?: string },
  ): Promise<readonly M[]> {
    const { key } = member;
    const { connection, except } = options;
    const meta = copyMeta([group, key, member.meta], this.#maxEntryBytes);
    await this.#ready();
    if (connection.phase === "ended") return this.list(group);
    const known = this.#visitors.get(group, key);
    const visitor = known ?? this.#visitors.add(group, key, this.#entry(group, key, meta));
    this.#visitors.tie(visitor, connection);
    const told = known === undefined
      ? this.#change([group, key, visitor.entry], except)
      : this.#update(visitor, meta, except);
    // Taken before the wait: a user who enters meanwhile is announced by a later message.
    const people = this.list(group);
    await told;
    return people;
  }

  /**
   * Removes a connection from a group before it ends. The user's last connection notifies the group at
   * once, except the channel `except`. No effect if the connection did not enter.
   */
  async leave(
    group: string,
    member: { readonly key: string },
    options: { readonly connection: Connection; readonly except?: string },
  ): Promise<void> {
    await this.#ready();
    const visitor = this.#visitors.get(group, member.key);
    if (visitor === undefined || !this.#visitors.untie(visitor, options.connection)) return;
    await this.#change([group, member.key, null], options.except);
  }

  /**
   * Replaces the `meta` of a user in all of the user's tabs, and notifies the group with `updated`,
   * except the channel `except`. Resolves to false if the user has not entered in this process.
   *
   * @throws {PresenceError} As {@linkcode enter}.
   */
  async update(
    group: string,
    member: { readonly key: string; readonly meta: M },
    options: { readonly except?: string } = {},
  ): Promise<boolean> {
    const meta = copyMeta([group, member.key, member.meta], this.#maxEntryBytes);
    await this.#ready();
    const visitor = this.#visitors.get(group, member.key);
    await (visitor && this.#update(visitor, meta, options.except));
    return visitor !== undefined;
  }

  /**
   * Begins to receive the users of other processes. {@linkcode enter} does so as well: this is for a
   * process whose connections only watch. Resolves when the users are known, or could not be learned in
   * time.
   */
  listen(): Promise<void> {
    return this.#ready();
  }

  /**
   * Returns the users in a group, in the order in which they entered. Users of other processes are known
   * after the first {@linkcode enter} or {@linkcode listen} of this one.
   */
  list(group: string): readonly M[] {
    return this.#topics.get(group)?.list() ?? [];
  }

  /**
   * Returns a page of the users in a group, in the order in which they entered: `limit` (100) users after
   * the position that an earlier page returned as `next`, which is undefined on the last page. `total` is
   * the number of users in the group.
   */
  page(
    group: string,
    { after, limit = 100 }: { readonly after?: string; readonly limit?: number } = {},
  ): { readonly people: readonly M[]; readonly total: number; readonly next: string | undefined } {
    return this.#topics.get(group)?.page(after, limit) ??
      { people: [], total: 0, next: undefined };
  }

  /** Announces that this process stops; its users have `leaveDelayMs` to reconnect to another one. */
  async close(): Promise<void> {
    this.#visitors.close();
    await this.#sync?.close();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Never rejects. */
  async #ready(): Promise<void> {
    if (this.#sync !== undefined) await this.#sync.ready();
    this.#isReady = true;
  }

  async #update(visitor: Visitor<M>, meta: M, except: string | undefined): Promise<void> {
    const { group, key, entry } = visitor;
    if (isSame(entry.meta, meta)) return;
    visitor.entry = { ...this.#entry(group, key, meta), since: entry.since };
    await this.#change([group, key, visitor.entry], except);
  }

  /** Announces a change of this process. Never rejects. */
  #change(change: Change<M>, except?: string): Promise<void> {
    void this.#sync?.announce(change);
    return this.#apply("", change, except);
  }

  /** Never rejects. */
  async #apply(process: string, [group, key, entry]: Change<M>, except?: string): Promise<void> {
    const topic = this.#topics.get(group) ?? new Topic<M>();
    const change = topic.set(process, key, entry ?? undefined);
    if (topic.isEmpty) this.#topics.delete(group);
    else this.#topics.set(group, topic);
    // Before the first list of this process, no message: the list will contain the users of the others.
    const message = change && this.#isReady ? this.#messages.of(change) : undefined;
    if (message === undefined) return;
    try {
      const sending = this.#layer.groupSend(group, message, { except, local: true });
      await within(sending, { clock: this.#clock, ms: SEND_TIMEOUT_MS });
    } catch (error) {
      this.#log?.warn("A presence change could not be sent to the group", { group, error });
    }
  }

  /** Creates a user's entry, newer than that of any process so far. */
  #entry(group: string, key: string, meta: M): PresenceEntry<M> {
    const said = this.#topics.get(group)?.get(key)?.at ?? 0;
    // Times are unique, so that the order of entry is kept.
    const since = this.#lastTime = Math.max(this.#clock.now(), this.#lastTime + STEP_MS);
    return { meta, since, at: Math.max(since, said + STEP_MS) };
  }
}
