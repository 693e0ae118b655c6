import { parseNode } from "./redis_address.ts";
import type { RedisConnection, RedisListener } from "./redis_connection.ts";
import { ClusterNodes } from "./cluster_nodes.ts";
import { ClusterTopology, type ClusterTopologyOptions } from "./cluster_topology.ts";
import type { ReconnectingConnection } from "./reconnecting_connection.ts";
import { closedError, RedisRedirection, unavailable } from "./errors.ts";
import { slotOf } from "./redis_slots.ts";
import { RedisSubscriptions, type SubscriptionGap } from "./redis_subscriptions.ts";
import { pause, within } from "../core/within.ts";
import { retryPauseMs } from "../time/retry_pause.ts";

type Work<T> = (connection: RedisConnection) => Promise<T>;

/** How long to wait between two attempts while a cluster changes. */
const REFRESH_PAUSE = { minMs: 10, maxMs: 200 };

/**
 * Detects a single Redis or a cluster, routes commands by slot, and follows slots that move.
 *
 * In a cluster, a separate connection reads the slots ({@linkcode ClusterTopology}), and each node in
 * use gets a connection for commands and subscriptions. A single Redis has one connection for all.
 */
export class ClusterClient {
  readonly #options: ClusterTopologyOptions;
  readonly #topology: ClusterTopology;
  readonly #nodes: ClusterNodes;
  readonly #subscriptions: RedisSubscriptions;
  /** The connection that carries everything, unless there is a cluster. */
  #single: RedisConnection | undefined;
  /** Set while calls wait for the first connection; later calls queue behind them. */
  #opening: Promise<void> | undefined;
  #hasUnassigned = false;
  #isAssigning = false;
  #isClosed = false;

  constructor(options: ClusterTopologyOptions, tellGap: (gap: SubscriptionGap) => void) {
    this.#options = options;
    const subscriptions = this.#subscriptions = new RedisSubscriptions({
      now: () => options.clock.now(),
      connectionOf: (slot) => this.#linkOf(slot),
      certainUntil: () => this.#topology.refreshedAt,
      unassigned: (slot, error) => {
        this.#follow(slot, error);
        void this.#assignAll().catch(() => {});
      },
      recovered: tellGap,
    });
    this.#topology = new ClusterTopology(options, {
      mapRead: async (isNew) => {
        // A single Redis is ready once all names are subscribed. A hanging node must not delay others.
        if (!this.isCluster) await subscriptions.assign();
        else if (isNew) void this.#assign().catch(() => {});
        this.#nodes.dropIdle(this.#topology.slots?.owners);
      },
      // Replies of a demoted primary since the last check prove nothing.
      lost: (connection) => {
        this.#single = undefined;
        subscriptions.lost(connection, Math.min(connection.lastSeenAt, this.#topology.refreshedAt));
      },
      opened: () => {
        if (!this.isCluster) this.#single = this.#topology.link.connection;
        subscriptions.tellGap();
      },
    });
    this.#nodes = new ClusterNodes(options, {
      restore: (link) => subscriptions.restore(link),
      lost: (connection) => subscriptions.lost(connection, connection.lastSeenAt),
      failed: () => this.#topology.refreshSoon(),
      moved: (name, connection) => subscriptions.moved(name, connection),
      opened: () => subscriptions.tellGap(),
    });
  }

  /** Whether a cluster was detected. */
  get isCluster(): boolean {
    return this.#single === undefined && this.#topology.slots !== undefined;
  }

  /**
   * Runs `work` on the node that has `name`. `work` must send its command synchronously, and is called
   * again if the command had no effect. Settles within `timeoutMs` plus a quarter of a second.
   *
   * @throws {RedisError} `UNAVAILABLE`, or an error of `work`.
   */
  run<T>(name: string, work: Work<T>): Promise<T> {
    if (this.#single !== undefined && !this.#opening) return work(this.#single);
    const { clock, timeoutMs } = this.#options;
    const until = clock.elapsed() + timeoutMs;
    const connection = this.isCluster ? this.#linkFor(name)?.connection : undefined;
    if (connection === undefined) return this.#limited(this.#retry(name, work, until));
    return work(connection).catch((error) => {
      if (!(error instanceof RedisRedirection)) throw error;
      return this.#limited(this.#retry(name, work, until, error), until - clock.elapsed());
    });
  }

  /** Runs `work` on every node that has a slot, or on the single Redis. */
  async everywhere(work: (connection: RedisConnection) => Promise<void>): Promise<void> {
    await this.#ready();
    const { link, slots } = this.#topology;
    const owners = [...slots?.owners.values() ?? []];
    const links = slots === undefined ? [link] : owners.map((owner) => this.#nodes.linkTo(owner));
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

  /** Subscribes to a name on its node. {@linkcode subscribed} confirms it. */
  listen(name: string, receive: RedisListener): void {
    this.#subscriptions.add(name, receive);
  }

  /** Ends one use of a subscription. */
  leave(name: string): void {
    this.#subscriptions.remove(name);
  }

  /** Whether messages published over `connection` come back over it. */
  isSubscribed(name: string, connection: RedisConnection): boolean {
    return this.#subscriptions.isSubscribed(name, connection);
  }

  /** Resolves once all names are subscribed. @throws {RedisError} `UNAVAILABLE`, or `CLOSED`. */
  subscribed(...names: readonly string[]): Promise<void> {
    const all = async () => {
      await this.#ready();
      await Promise.all(names.map((name) => this.#subscriptions.subscribed(name)));
    };
    return this.#limited(all());
  }

  /** Closes all connections. */
  close(): void {
    this.#isClosed = true;
    this.#subscriptions.close(closedError());
    this.#topology.close();
    this.#nodes.close();
  }

  async #ready(): Promise<void> {
    if (this.#isClosed) throw closedError();
    if (!this.isCluster) await this.#topology.link.ready();
  }

  #limited<T>(work: Promise<T>, ms: number = this.#options.timeoutMs): Promise<T> {
    return within(work, { clock: this.#options.clock, ms, late: () => unavailable() });
  }

  /**
   * Runs `work` once there is a connection, and again while Redis redirects it. `failure` is the error
   * of an earlier attempt, if any.
   */
  async #retry<T>(
    name: string,
    work: Work<T>,
    until: number,
    failure?: RedisRedirection,
  ): Promise<T> {
    await this.#opened();
    for (let tries = 0;; tries++) {
      try {
        const asked = failure && await this.#redirect(name, failure, tries);
        const link = asked ?? this.#linkFor(name);
        if (link === undefined) throw new RedisRedirection("later");
        // Without a pause, so that calls that waited for the first connection keep their order.
        const connection = link.connection ?? await link.ready();
        if (asked !== undefined) connection.asking();
        return await work(connection);
      } catch (error) {
        const isLate = this.#isClosed || this.#options.clock.elapsed() >= until;
        if (!this.isCluster || !(error instanceof RedisRedirection) || isLate) throw error;
        failure = error;
      }
    }
  }

  /** Waits for the first connection. Calls that wait resume in order, before any new call. */
  async #opened(): Promise<void> {
    if (this.isCluster) return;
    const opening = this.#opening ??= this.#ready();
    try {
      await opening;
    } finally {
      if (this.#opening === opening) this.#opening = undefined;
    }
  }

  /** Follows a redirection. Returns the node that takes the command once, if there is one. */
  async #redirect(
    name: string,
    failure: RedisRedirection,
    tries: number,
  ): Promise<ReconnectingConnection | undefined> {
    const to = parseNode(failure.address);
    if (failure.kind === "ask" && to !== undefined) return this.#nodes.linkTo(to);
    if (failure.kind !== "moved" || to === undefined || tries > 1) await this.#refresh(tries);
    else if (this.#follow(slotOf(name), failure)) void this.#assign().catch(() => {});
    return undefined;
  }

  /** Pauses, and reads the slots of the cluster. */
  async #refresh(tries: number): Promise<void> {
    await pause(this.#options.clock, retryPauseMs(tries, REFRESH_PAUSE));
    await this.#topology.refresh().catch(() => {});
  }

  /** Applies a `MOVED` redirection. Returns whether the slot's owner has changed. */
  #follow(slot: number, error: RedisRedirection | undefined): boolean {
    const to = error?.kind === "moved" ? parseNode(error.address) : undefined;
    return to !== undefined && (this.#topology.slots?.move(slot, to) ?? false);
  }

  /** Assigns names until all have a node: first by redirections, then by the slots of the cluster. */
  async #assignAll(): Promise<void> {
    this.#hasUnassigned = true;
    if (this.#isAssigning) return;
    this.#isAssigning = true;
    for (let tries = 0; this.#hasUnassigned && !this.#isClosed; tries++) {
      if (tries > 1) await this.#refresh(tries - 2);
      this.#hasUnassigned = false;
      // A hanging node delays the others only briefly.
      await Promise.race([this.#assign(), pause(this.#options.clock, REFRESH_PAUSE.maxMs)]);
    }
    this.#isAssigning = false;
  }

  async #assign(): Promise<void> {
    await this.#subscriptions.assign();
    this.#subscriptions.tellGap();
  }

  /** Returns the node that has a name; `undefined` if no node is known to have it. */
  #linkFor(name: string): ReconnectingConnection | undefined {
    return this.isCluster ? this.#linkOf(slotOf(name)) : this.#topology.link;
  }

  #linkOf(slot: number): ReconnectingConnection | undefined {
    if (this.#topology.slots === undefined) return this.#topology.link;
    const owner = this.#topology.slots.ownerOf(slot);
    return owner && this.#nodes.linkTo(owner);
  }
}
