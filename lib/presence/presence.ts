import type { ChannelLayer } from "../layers/mod.ts";
import { type Clock, type Connection, type LayerMessage, type Log, systemClock } from "../scope.ts";
import { Gossip } from "../gossip/gossip.ts";
import { isFinalEnd } from "./final_end.ts";
import { type Change, presenceChanges } from "./presence_change.ts";
import type { PresenceEntry } from "./state.ts";
import { type PresencePage, Topic } from "./topic.ts";

/** What a group is told when somebody comes, goes, or changes. */
export interface PresenceMessages<M> {
  joined(meta: M): LayerMessage;
  left(meta: M): LayerMessage;
  /** Something else is known of somebody who is there. Nobody is told where it is left out. */
  updated?(meta: M): LayerMessage;
}

/** Options of {@linkcode Presence}. */
export interface PresenceOptions {
  /**
   * How long somebody whose last connection broke has to come back, in milliseconds: over a reload of
   * the page. Who closed it, or was shown out, leaves at once. @default {2_000}
   */
  readonly leaveDelayMs?: number;
  /** How often processes say that they are there, in milliseconds. @default {2_000} */
  readonly beatMs?: number;
  /** How long a process may be silent before its people are gone, in milliseconds. @default {6_000} */
  readonly silentMs?: number;
  /** How long the first `enter()` waits for what other processes know, in milliseconds. @default {500} */
  readonly syncTimeoutMs?: number;
  /** The group in which processes talk; those with the same one share their people. @default {"presence"} */
  readonly controlGroup?: string;
  readonly clock?: Clock;
  readonly log?: Pick<Log, "warn">;
}

/** Somebody who is here, in this process: one, however many connections. */
interface Visitor<M> {
  entry: PresenceEntry<M>;
  readonly connections: Set<Connection>;
  cancelLeave: (() => void) | undefined;
}

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
  readonly #leaveDelayMs: number;
  readonly #topics = new Map<string, Topic<M>>();
  readonly #visitors = new Map<string, Map<string, Visitor<M>>>();
  /** Nothing, where the layer spans no processes. */
  readonly #gossip: Gossip<Change<M>> | undefined;
  #isReady = false;
  #lastTime = 0;

  constructor(
    layer: ChannelLayer,
    messages: PresenceMessages<M>,
    options: PresenceOptions = {},
  ) {
    const { clock = systemClock, leaveDelayMs = 2_000 } = options;
    this.#layer = layer;
    this.#messages = messages;
    this.#clock = clock;
    this.#log = options.log;
    this.#leaveDelayMs = leaveDelayMs;
    if (!layer.extensions.includes("processes")) return;
    this.#gossip = new Gossip<Change<M>>({
      layer,
      clock,
      goodbyeMs: leaveDelayMs,
      group: options.controlGroup ?? "presence",
      type: "presence",
      changes: presenceChanges<M>(),
      beatMs: options.beatMs ?? 2_000,
      silentMs: options.silentMs ?? 6_000,
      syncTimeoutMs: options.syncTimeoutMs ?? 500,
      state: () => this.#state(),
      change: (process, change) => void this.#apply(process, change),
    });
  }

  /**
   * Enters a person into the group, until the connection's end, and returns who is there.
   *
   * Where it is the person's first connection the group is told, all but the channel `except`. What
   * `meta` says is what everybody is told of the person from now on.
   */
  async enter(
    group: string,
    person: { readonly key: string; readonly meta: M },
    options: { readonly connection: Connection; readonly except?: string },
  ): Promise<readonly M[]> {
    const { connection, except } = options;
    if (this.#gossip !== undefined) await this.#gossip.ready();
    this.#isReady = true;
    if (connection.phase === "ended") return this.list(group);
    const { visitor, isNew } = this.#visit(group, person);
    visitor.connections.add(connection);
    connection.onEnd(({ code }) => this.#depart(group, person.key, connection, code));
    const told = isNew ? this.#change([group, person.key, visitor.entry], except) : undefined;
    // As of now: who comes while others are told of this one is told of later.
    const people = this.list(group);
    await told;
    return people;
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
    for (const people of this.#visitors.values()) {
      for (const visitor of people.values()) visitor.cancelLeave?.();
    }
    await this.#gossip?.close();
  }

  /** Returns the person's visit, and whether others do not know of it as it is. */
  #visit(
    group: string,
    { key, meta }: { readonly key: string; readonly meta: M },
  ): { visitor: Visitor<M>; isNew: boolean } {
    const people = this.#visitors.get(group) ?? new Map<string, Visitor<M>>();
    this.#visitors.set(group, people);
    const at = this.#time();
    const known = people.get(key);
    if (known === undefined) {
      const entry = { meta, since: at, at };
      const visitor = { entry, connections: new Set<Connection>(), cancelLeave: undefined };
      people.set(key, visitor);
      return { visitor, isNew: true };
    }
    known.cancelLeave?.();
    known.cancelLeave = undefined;
    const isNew = JSON.stringify(known.entry.meta) !== JSON.stringify(meta);
    if (isNew) known.entry = { ...known.entry, meta, at };
    return { visitor: known, isNew };
  }

  #depart(group: string, key: string, connection: Connection, code: number): void {
    const visitor = this.#visitors.get(group)?.get(key);
    if (!visitor?.connections.delete(connection) || visitor.connections.size > 0) return;
    const leave = () => this.#forget(group, key, visitor);
    if (isFinalEnd(code) || this.#leaveDelayMs === 0) leave();
    else visitor.cancelLeave = this.#clock.after(this.#leaveDelayMs, leave);
  }

  #forget(group: string, key: string, visitor: Visitor<M>): void {
    const people = this.#visitors.get(group);
    if (people?.get(key) !== visitor || visitor.connections.size > 0) return;
    people.delete(key);
    if (people.size === 0) this.#visitors.delete(group);
    void this.#change([group, key, null]);
  }

  /** A change of this process. */
  #change(change: Change<M>, except?: string): Promise<void> {
    void this.#gossip?.tell(change);
    return this.#apply("", change, except);
  }

  async #apply(process: string, [group, key, entry]: Change<M>, except?: string): Promise<void> {
    const topic = this.#topics.get(group) ?? new Topic<M>();
    const change = topic.set(process, key, entry ?? undefined);
    if (topic.isEmpty) this.#topics.delete(group);
    else this.#topics.set(group, topic);
    const message = change && this.#messages[change.kind]?.(change.meta);
    // Nobody here was given a list yet: what other processes know at the start will be in it.
    if (message === undefined || !this.#isReady) return;
    try {
      await this.#layer.groupSend(group, message, { except, local: true });
    } catch (error) {
      this.#log?.warn("A change of who is there was not told", { group, error });
    }
  }

  #state(): Change<M>[] {
    return [...this.#visitors].flatMap(([group, people]) =>
      [...people].map(([key, { entry }]): Change<M> => [group, key, entry])
    );
  }

  /** Returns the time, and never the same twice: who came first, stays first. */
  #time(): number {
    this.#lastTime = Math.max(this.#clock.now(), this.#lastTime + STEP_MS);
    return this.#lastTime;
  }
}

/** The least that tells two times apart, in milliseconds. */
const STEP_MS = 0.001;
