import type { ChannelLayer } from "../layers/mod.ts";
import { type Clock, type Connection, type LayerMessage, type Log, systemClock } from "../scope.ts";
import { Gossip } from "../gossip/gossip.ts";
import { within } from "../gossip/within.ts";
import { type Change, copyMeta, presenceChanges } from "./presence_change.ts";
import type { PresenceEntry } from "./state.ts";
import type { PresenceMessages, PresenceOptions } from "./presence_options.ts";
import { type PersonChange, type PresencePage, Topic } from "./topic.ts";
import { type Visitor, Visitors } from "./visitors.ts";

/**
 * Who is in a group, by person, over all tabs and all processes.
 *
 * A group is told once that somebody came, with the first connection of all, and once that somebody
 * left, after the last: each process tells its own members, from what all of them know. So everybody
 * hears what their list will say, whatever happens in between.
 *
 * It heals: a process that is killed is gone from all lists within `silentMs` and two beats (10 s), one
 * that was asleep or cut off is back when it is. While a process reaches nobody it goes on with what
 * it knows.
 *
 * @example
 * ```ts
 * import { MemoryChannelLayer } from "@sluice/sluice/layers";
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
export class Presence<M> {
  readonly #layer: ChannelLayer;
  readonly #messages: PresenceMessages<M>;
  readonly #clock: Clock;
  readonly #log: Pick<Log, "warn"> | undefined;
  readonly #maxEntryBytes: number;
  readonly #topics = new Map<string, Topic<M>>();
  readonly #visitors: Visitors<M>;
  /** Undefined if the layer spans no processes. */
  readonly #gossip: Gossip<Change<M>> | undefined;
  /** The callbacks that have thrown. */
  readonly #failing = new Set<string>();
  #isReady = false;
  #lastTime = 0;

  /** @throws {RangeError} `maxEntryBytes` is not between 1 and 131072. */
  constructor(
    layer: ChannelLayer,
    messages: PresenceMessages<M>,
    options: PresenceOptions = {},
  ) {
    const { clock = systemClock, leaveDelayMs = 2_000, maxEntryBytes = 16_384 } = options;
    if (!(maxEntryBytes >= 1 && maxEntryBytes <= MAX_ENTRY_BYTES)) {
      throw new RangeError(`Cannot use maxEntryBytes: ${maxEntryBytes}: 1 to ${MAX_ENTRY_BYTES}`);
    }
    this.#layer = layer;
    this.#messages = messages;
    this.#clock = clock;
    this.#log = options.log;
    this.#maxEntryBytes = maxEntryBytes;
    this.#visitors = new Visitors({ clock, leaveDelayMs, left: (visitor) => this.#gone(visitor) });
    if (!layer.extensions.includes("processes")) return;
    this.#gossip = new Gossip<Change<M>>({
      layer,
      clock,
      log: options.log,
      goodbyeMs: leaveDelayMs,
      group: options.controlGroup ?? "presence",
      type: "presence",
      changes: presenceChanges<M>(maxEntryBytes),
      beatMs: options.beatMs ?? 2_000,
      silentMs: options.silentMs ?? 6_000,
      syncTimeoutMs: options.syncTimeoutMs ?? 500,
      state: () => this.#visitors.entries(),
      change: (process, change) => void this.#apply(process, change),
    });
  }

  /**
   * How many messages and entries were dropped because they could not be read, or sent: those of another
   * version, say. The first one is logged. An entry costs only itself.
   */
  get dropped(): number {
    return this.#gossip?.dropped ?? 0;
  }

  /**
   * Enters a person into the group, until the connection's end or {@linkcode leave}, and returns who is
   * there.
   *
   * With the person's first connection the group is told, all but the channel `except`. Everybody hears
   * what `meta` says, plain data, from now on.
   *
   * @throws {PresenceError} `INVALID_ENTRY`: `meta` holds something that JSON does not keep.
   * `ENTRY_TOO_LARGE`: it is larger than `maxEntryBytes`.
   */
  async enter(
    group: string,
    person: { readonly key: string; readonly meta: M },
    options: { readonly connection: Connection; readonly except?: string },
  ): Promise<readonly M[]> {
    const { key } = person;
    const { connection, except } = options;
    const meta = copyMeta([group, key, person.meta], this.#maxEntryBytes);
    await this.#ready();
    if (connection.phase === "ended") return this.list(group);
    const known = this.#visitors.get(group, key);
    const visitor = known ?? this.#visitors.add(group, key, this.#entry(group, key, meta));
    this.#visitors.tie(visitor, connection);
    const told = known === undefined
      ? this.#change([group, key, visitor.entry], except)
      : this.#update(visitor, meta, except);
    // As of now: a person who enters while others are told of this one is told of later.
    const people = this.list(group);
    await told;
    return people;
  }

  /**
   * Takes a connection out of a group before its end. With the person's last connection of all the group
   * is told at once, all but the channel `except`. No effect if the connection did not enter.
   */
  async leave(
    group: string,
    person: { readonly key: string },
    options: { readonly connection: Connection; readonly except?: string },
  ): Promise<void> {
    await this.#ready();
    const visitor = this.#visitors.get(group, person.key);
    if (visitor === undefined || !this.#visitors.untie(visitor, options.connection)) return;
    await this.#change([group, person.key, null], options.except);
  }

  /**
   * Changes what is known of a person who has entered in this process, for all of the person's tabs. The
   * group is told with `updated`, all but the channel `except`. Resolves to false if the person is not
   * there in this process.
   *
   * @throws {PresenceError} As {@linkcode enter}.
   */
  async update(
    group: string,
    person: { readonly key: string; readonly meta: M },
    options: { readonly except?: string } = {},
  ): Promise<boolean> {
    const meta = copyMeta([group, person.key, person.meta], this.#maxEntryBytes);
    await this.#ready();
    const visitor = this.#visitors.get(group, person.key);
    await (visitor && this.#update(visitor, meta, options.except));
    return visitor !== undefined;
  }

  /** Returns who is in a group, in the order in which they came. */
  list(group: string): readonly M[] {
    return this.#topics.get(group)?.list() ?? [];
  }

  /**
   * Returns part of who is in a group, in the order in which they came: `limit` (100) people after the
   * place that an earlier page named as `next`.
   */
  page(
    group: string,
    options: { readonly after?: string; readonly limit?: number } = {},
  ): PresencePage<M> {
    const { after, limit = 100 } = options;
    return this.#topics.get(group)?.page(after, limit) ??
      { people: [], total: 0, next: undefined };
  }

  /** Tells other processes that this one goes; its people have `leaveDelayMs` to come back elsewhere. */
  async close(): Promise<void> {
    this.#visitors.close();
    await this.#gossip?.close();
  }

  /** Never rejects. */
  async #ready(): Promise<void> {
    if (this.#gossip !== undefined) await this.#gossip.ready();
    this.#isReady = true;
  }

  #gone({ group, key }: Visitor<M>): void {
    void this.#change([group, key, null]);
  }

  async #update(visitor: Visitor<M>, meta: M, except: string | undefined): Promise<void> {
    const { group, key, entry } = visitor;
    if (JSON.stringify(entry.meta) === JSON.stringify(meta)) return;
    visitor.entry = { ...this.#entry(group, key, meta), since: entry.since };
    await this.#change([group, key, visitor.entry], except);
  }

  /** Tells a change of this process. Never rejects. */
  #change(change: Change<M>, except?: string): Promise<void> {
    void this.#gossip?.tell(change);
    return this.#apply("", change, except);
  }

  /** Never rejects. */
  async #apply(process: string, [group, key, entry]: Change<M>, except?: string): Promise<void> {
    const topic = this.#topics.get(group) ?? new Topic<M>();
    const change = topic.set(process, key, entry ?? undefined);
    if (topic.isEmpty) this.#topics.delete(group);
    else this.#topics.set(group, topic);
    // Before a list was given here: what other processes know at the start will be in it.
    const message = change && this.#isReady ? this.#messageOf(change) : undefined;
    if (message === undefined) return;
    try {
      const sending = this.#layer.groupSend(group, message, { except, local: true });
      await within(sending, { clock: this.#clock, ms: SEND_TIMEOUT_MS });
    } catch (error) {
      this.#log?.warn("A change of who is there was not told", { group, error });
    }
  }

  /** Asks the application what the group is told. `meta` may be that of another version. */
  #messageOf({ kind, meta }: PersonChange<M>): LayerMessage | undefined {
    try {
      return this.#messages[kind]?.(meta);
    } catch (error) {
      const isFirst = !this.#failing.has(kind);
      this.#failing.add(kind);
      if (isFirst) this.#log?.warn(`${kind}() of a presence failed`, { error });
      return undefined;
    }
  }

  /** What a person is from now on: newer than what any process said of the person so far. */
  #entry(group: string, key: string, meta: M): PresenceEntry<M> {
    const said = this.#topics.get(group)?.get(key)?.at ?? 0;
    // Never the same twice: who came first, stays first.
    const since = this.#lastTime = Math.max(this.#clock.now(), this.#lastTime + STEP_MS);
    return { meta, since, at: Math.max(since, said + STEP_MS) };
  }
}

/** The least that tells two times apart, in milliseconds. */
const STEP_MS = 0.001;

/** How long the members in this process may take to be told, in milliseconds. */
const SEND_TIMEOUT_MS = 3_000;

/** Larger entries would not fit into the messages of a layer. */
const MAX_ENTRY_BYTES = 131_072;
