import { formatAddress, parseNode, type RedisAddress } from "./redis_address.ts";
import type { RedisConnection } from "./redis_connection.ts";
import { ClusterTopology, type ClusterTopologyOptions } from "./cluster_topology.ts";
import { ReconnectingConnection } from "./reconnecting_connection.ts";
import { closedError, RedisRedirection, unavailable } from "./errors.ts";
import { slotOf } from "./slots.ts";
import type { RedisListener } from "./redis_socket.ts";
import { RedisSubscriptions, type SubscriptionGap } from "./subscriptions.ts";
import { pause, within } from "../core/within.ts";

type Work<T> = (connection: RedisConnection) => Promise<T>;

/** Bounds of the pause between two attempts while a cluster changes, in milliseconds. */
const MIN_PAUSE_MS = 10;
const MAX_PAUSE_MS = 200;

/**
 * Detects a single Redis or a cluster, routes commands by slot, and follows slots that move.
 *
 * In a cluster, a separate connection (`home`) reads the slots, and each node in use gets a connection
 * for commands and subscriptions. With a single Redis, `home` carries everything.
 */
export class ClusterClient {
  readonly #options: ClusterTopologyOptions;
  readonly #topology: ClusterTopology;
  readonly #connections = new Map<string, ReconnectingConnection>();
  /** Nodes that had no slot at the last check. */
  readonly #idle = new Set<string>();
  readonly #subscriptions: RedisSubscriptions;
  /** Set while calls wait for the first connection; later calls queue behind them. */
  #opening: Promise<void> | undefined;
  #hasUnassigned = false;
  #isAssigning = false;
  #isClosed = false;

  constructor(options: ClusterTopologyOptions, tellGap: (gap: SubscriptionGap) => void) {
    this.#options = options;
    const subscriptions = this.#subscriptions = new RedisSubscriptions({
      now: () => options.clock.now(),
      connectionOf: (slot) => this.#connectionOf(slot),
      certainUntil: () => this.#topology.refreshedAt,
      unassigned: (slot, error) => {
        this.#follow(slot, error);
        void this.#assignAll().catch(() => {});
      },
      recovered: tellGap,
    });
    const home: ClusterTopology = this.#topology = new ClusterTopology(options, {
      mapRead: async (isNew) => {
        // A single Redis is ready once all names are subscribed. A hanging node must not delay others.
        if (!this.isCluster) await subscriptions.assign();
        else if (isNew) void this.#assign().catch(() => {});
        this.#dropIdle();
      },
      // Replies of a demoted primary since the last check prove nothing.
      lost: (connection) => {
        subscriptions.lost(connection, Math.min(connection.lastSeenAt, home.refreshedAt));
      },
      opened: () => subscriptions.tellGap(),
    });
  }

  /** Whether a cluster was detected. */
  get isCluster(): boolean {
    return this.#topology.slots !== undefined;
  }

  /**
   * Runs `work` on the node that has `name`. `work` must send its command synchronously, and is called
   * again if the command had no effect. Settles within `timeoutMs` plus a quarter of a second.
   *
   * @throws {RedisError} `UNAVAILABLE`, or an error of `work`.
   */
  run<T>(name: string, work: Work<T>): Promise<T> {
    const { connection } = this.#topology.link;
    if (this.isCluster) return this.#runInCluster(name, work);
    if (connection === undefined || this.#opening) return this.#limited(this.#runLate(name, work));
    return work(connection);
  }

  /** Runs `work` on every node that has a slot, or on the single Redis. */
  async everywhere(work: (connection: RedisConnection) => Promise<void>): Promise<void> {
    await this.#ready();
    const { link: only, slots } = this.#topology;
    const owners = [...slots?.owners.values() ?? []];
    const links = slots === undefined
      ? [only]
      : owners.map((address) => this.#connectionAt(address));
    for (const link of links) await work(await link.ready());
  }

  /**
   * Resolves if Redis is a primary or a healthy cluster, and messages published as `name` arrive here.
   *
   * @throws {RedisError} `UNAVAILABLE`, or `CLOSED`.
   */
  check(name: string): Promise<void> {
    return this.#limited(this.#topology.refresh().then(() => this.#subscriptions.subscribed(name)));
  }

  /** Subscribes to a name on its node. `noted()` resolves once messages are certain to arrive. */
  listen(name: string, receive: RedisListener): void {
    this.#subscriptions.add(name, receive);
  }

  leave(name: string): void {
    this.#subscriptions.remove(name);
  }

  /** Whether messages published over `connection` come back over it. */
  isSubscribed(name: string, connection: RedisConnection): boolean {
    return this.#subscriptions.isSubscribed(name, connection);
  }

  /** Resolves once all names are subscribed. @throws {RedisError} `UNAVAILABLE`, or `CLOSED`. */
  subscribed(...names: readonly string[]): Promise<void> {
    return this.#limited(
      this.#ready().then(async () => {
        await Promise.all(names.map((name) => this.#subscriptions.subscribed(name)));
      }),
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#subscriptions.close(closedError());
    this.#topology.close();
    for (const link of this.#connections.values()) link.close();
  }

  async #ready(): Promise<void> {
    if (this.#isClosed) throw closedError();
    if (!this.isCluster) await this.#topology.link.ready();
  }

  #limited<T>(work: Promise<T>, ms: number = this.#options.timeoutMs): Promise<T> {
    const { clock } = this.#options;
    return within(work, { clock, ms, late: unavailable });
  }

  async #runLate<T>(name: string, work: Work<T>): Promise<T> {
    const opening = this.#opening ??= this.#ready();
    try {
      await opening;
    } finally {
      // Queued calls resume in order, before any new call.
      if (this.#opening === opening) this.#opening = undefined;
    }
    return await this.run(name, work);
  }

  async #runInCluster<T>(name: string, work: Work<T>): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    const slot = slotOf(name);
    const until = clock.elapsed() + timeoutMs;
    const connection = this.#connectionOf(slot)?.connection;
    let refused: RedisRedirection | undefined;
    try {
      if (connection !== undefined) return await work(connection);
    } catch (error) {
      if (!(error instanceof RedisRedirection)) throw error;
      refused = error;
    }
    return await this.#limited(this.#seek(slot, work, { until, refused }), until - clock.elapsed());
  }

  /** Follows redirections until `work` succeeds or the limit is reached. */
  async #seek<T>(
    slot: number,
    work: Work<T>,
    { until, refused }: { readonly until: number; refused: RedisRedirection | undefined },
  ): Promise<T> {
    for (let tries = 0;; tries++) {
      try {
        const asked = refused && await this.#redirect(slot, refused, tries);
        const connection = await this.#connectionTo(asked ?? this.#connectionOf(slot));
        if (asked !== undefined) connection.asking();
        return await work(connection);
      } catch (error) {
        const isOver = this.#isClosed || this.#options.clock.elapsed() >= until;
        if (!(error instanceof RedisRedirection) || isOver) throw error;
        refused = error;
      }
    }
  }

  async #connectionTo(link: ReconnectingConnection | undefined): Promise<RedisConnection> {
    if (this.#isClosed) throw closedError();
    if (link === undefined) throw new RedisRedirection("later");
    return await link.ready();
  }

  /** Returns the node for a one-time `ASK` redirection; `undefined` for the owner of the slot. */
  async #redirect(
    slot: number,
    error: RedisRedirection,
    tries: number,
  ): Promise<ReconnectingConnection | undefined> {
    const to = parseNode(error.address);
    if (error.kind === "ask" && to !== undefined) return this.#connectionAt(to);
    if (error.kind === "moved" && to !== undefined && tries < 2) {
      if (this.#follow(slot, error)) void this.#assign().catch(() => {});
    } else {
      await this.#pause(tries);
      await this.#topology.refresh().catch(() => {});
    }
    return undefined;
  }

  /** Applies a `MOVED` redirection. Returns whether the slot's owner has changed. */
  #follow(slot: number, error: RedisRedirection | undefined): boolean {
    const to = error?.kind === "moved" ? parseNode(error.address) : undefined;
    return to !== undefined && (this.#topology.slots?.move(slot, to) ?? false);
  }

  /** Places strays until none are left: first by redirections, then by the slots of the cluster. */
  async #assignAll(): Promise<void> {
    this.#hasUnassigned = true;
    if (this.#isAssigning) return;
    this.#isAssigning = true;
    for (let tries = 0; this.#hasUnassigned && !this.#isClosed; tries++) {
      if (tries > 1) {
        await this.#pause(tries - 2);
        await this.#topology.refresh().catch(() => {});
      }
      this.#hasUnassigned = false;
      // A hanging node delays the others only briefly.
      await Promise.race([this.#assign(), this.#pause(Infinity)]);
    }
    this.#isAssigning = false;
  }

  async #assign(): Promise<void> {
    await this.#subscriptions.assign();
    this.#subscriptions.tellGap();
  }

  #connectionOf(slot: number): ReconnectingConnection | undefined {
    const { link, slots } = this.#topology;
    if (slots === undefined) return link;
    const owner = slots.ownerOf(slot);
    return owner && this.#connectionAt(owner);
  }

  #connectionAt(address: RedisAddress): ReconnectingConnection {
    const key = formatAddress(address);
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    const subscriptions = this.#subscriptions;
    const link: ReconnectingConnection = new ReconnectingConnection(this.#options, {
      address: () => address,
      restore: () => subscriptions.restore(link),
      lost: (connection) => {
        subscriptions.lost(connection, connection.lastSeenAt);
        this.#topology.refreshSoon();
      },
      failed: () => this.#topology.refreshSoon(),
      moved: (name, connection) => subscriptions.moved(name, connection),
      opened: () => subscriptions.tellGap(),
    });
    this.#connections.set(key, link);
    return link;
  }

  #dropIdle(): void {
    const owners = this.#topology.slots?.owners;
    for (const [key, link] of this.#connections) {
      if (owners?.has(key)) this.#idle.delete(key);
      else if (link.connection !== undefined && !this.#idle.has(key)) this.#idle.add(key);
      else {
        link.close(new RedisRedirection("later"));
        this.#connections.delete(key);
        this.#idle.delete(key);
      }
    }
  }

  #pause(tries: number): Promise<void> {
    const ms = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** tries);
    return pause(this.#options.clock, ms);
  }
}
