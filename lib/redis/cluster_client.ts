import type { LayerGap } from "../layers/channel_layer.ts";
import { closedError } from "../layers/layer_error.ts";
import { formatAddress, parseNode, type RedisAddress } from "./redis_address.ts";
import type { RedisConnection } from "./redis_connection.ts";
import { RedisHome, type RedisHomeOptions } from "./cluster_topology.ts";
import { RedisLink } from "./reconnecting_connection.ts";
import { RedisRedirection, unavailable } from "./errors.ts";
import { slotOf } from "./slots.ts";
import type { RedisListener } from "./redis_socket.ts";
import { RedisSubscriptions } from "./subscriptions.ts";
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
export class RedisNodes {
  readonly #options: RedisHomeOptions;
  readonly #home: RedisHome;
  readonly #links = new Map<string, RedisLink>();
  /** Nodes that had no slot at the last check. */
  readonly #idle = new Set<string>();
  readonly #subscriptions: RedisSubscriptions;
  /** Set while calls wait for the first connection; later calls queue behind them. */
  #opening: Promise<void> | undefined;
  #hasStrays = false;
  #isPlacing = false;
  #isClosed = false;

  constructor(options: RedisHomeOptions, tellGap: (gap: LayerGap) => void) {
    this.#options = options;
    const subscriptions = this.#subscriptions = new RedisSubscriptions({
      now: () => options.clock.now(),
      linkOf: (slot) => this.#linkOf(slot),
      certainUntil: () => this.#home.lookedAt,
      strayed: (slot, error) => {
        this.#follow(slot, error);
        void this.#placeStrays().catch(() => {});
      },
      recovered: tellGap,
    });
    const home: RedisHome = this.#home = new RedisHome(options, {
      known: async (isNew) => {
        // A single Redis is ready once all names are subscribed. A hanging node must not delay others.
        if (!this.isCluster) await subscriptions.place();
        else if (isNew) void this.#place().catch(() => {});
        this.#dropIdle();
      },
      // Replies of a demoted primary since the last check prove nothing.
      lost: (connection) => {
        subscriptions.lost(connection, Math.min(connection.lastSeenAt, home.lookedAt));
      },
      opened: () => subscriptions.tellGap(),
    });
  }

  /** Whether a cluster was detected. */
  get isCluster(): boolean {
    return this.#home.slots !== undefined;
  }

  /**
   * Runs `work` on the node that has `name`. `work` must send its command synchronously, and is called
   * again if the command had no effect. Settles within `timeoutMs` plus a quarter of a second.
   *
   * @throws {LayerError} `UNAVAILABLE`, or an error of `work`.
   */
  run<T>(name: string, work: Work<T>): Promise<T> {
    const { connection } = this.#home.link;
    if (this.isCluster) return this.#runInCluster(name, work);
    if (connection === undefined || this.#opening) return this.#limited(this.#runLate(name, work));
    return work(connection);
  }

  /** Runs `work` on every node that has a slot, or on the single Redis. */
  async everywhere(work: (connection: RedisConnection) => Promise<void>): Promise<void> {
    await this.#ready();
    const { link: only, slots } = this.#home;
    const owners = [...slots?.owners.values() ?? []];
    const links = slots === undefined ? [only] : owners.map((address) => this.#linkAt(address));
    for (const link of links) await work(await link.ready());
  }

  /**
   * Resolves if Redis is a primary or a healthy cluster, and messages published as `name` arrive here.
   *
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  check(name: string): Promise<void> {
    return this.#limited(this.#home.look().then(() => this.#subscriptions.noted(name)));
  }

  /** Subscribes to a name on its node. `noted()` resolves once messages are certain to arrive. */
  listen(name: string, receive: RedisListener): void {
    this.#subscriptions.add(name, receive);
  }

  leave(name: string): void {
    this.#subscriptions.remove(name);
  }

  /** Whether messages published over `connection` come back over it. */
  hears(name: string, connection: RedisConnection): boolean {
    return this.#subscriptions.hears(name, connection);
  }

  /** Resolves once all names are subscribed. @throws {LayerError} `UNAVAILABLE`, or `CLOSED`. */
  noted(...names: readonly string[]): Promise<void> {
    return this.#limited(
      this.#ready().then(async () => {
        await Promise.all(names.map((name) => this.#subscriptions.noted(name)));
      }),
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#subscriptions.close(closedError());
    this.#home.close();
    for (const link of this.#links.values()) link.close();
  }

  async #ready(): Promise<void> {
    if (this.#isClosed) throw closedError();
    if (!this.isCluster) await this.#home.link.ready();
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
    const connection = this.#linkOf(slot)?.connection;
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
        const connection = await this.#connectionTo(asked ?? this.#linkOf(slot));
        if (asked !== undefined) connection.asking();
        return await work(connection);
      } catch (error) {
        const isOver = this.#isClosed || this.#options.clock.elapsed() >= until;
        if (!(error instanceof RedisRedirection) || isOver) throw error;
        refused = error;
      }
    }
  }

  async #connectionTo(link: RedisLink | undefined): Promise<RedisConnection> {
    if (this.#isClosed) throw closedError();
    if (link === undefined) throw new RedisRedirection("later");
    return await link.ready();
  }

  /** Returns the node for a one-time `ASK` redirection; `undefined` for the owner of the slot. */
  async #redirect(
    slot: number,
    error: RedisRedirection,
    tries: number,
  ): Promise<RedisLink | undefined> {
    const to = parseNode(error.address);
    if (error.kind === "ask" && to !== undefined) return this.#linkAt(to);
    if (error.kind === "moved" && to !== undefined && tries < 2) {
      if (this.#follow(slot, error)) void this.#place().catch(() => {});
    } else {
      await this.#pause(tries);
      await this.#home.look().catch(() => {});
    }
    return undefined;
  }

  /** Applies a `MOVED` redirection. Returns whether the slot's owner has changed. */
  #follow(slot: number, error: RedisRedirection | undefined): boolean {
    const to = error?.kind === "moved" ? parseNode(error.address) : undefined;
    return to !== undefined && (this.#home.slots?.move(slot, to) ?? false);
  }

  /** Places strays until none are left: first by redirections, then by the slots of the cluster. */
  async #placeStrays(): Promise<void> {
    this.#hasStrays = true;
    if (this.#isPlacing) return;
    this.#isPlacing = true;
    for (let tries = 0; this.#hasStrays && !this.#isClosed; tries++) {
      if (tries > 1) {
        await this.#pause(tries - 2);
        await this.#home.look().catch(() => {});
      }
      this.#hasStrays = false;
      // A hanging node delays the others only briefly.
      await Promise.race([this.#place(), this.#pause(Infinity)]);
    }
    this.#isPlacing = false;
  }

  async #place(): Promise<void> {
    await this.#subscriptions.place();
    this.#subscriptions.tellGap();
  }

  #linkOf(slot: number): RedisLink | undefined {
    const { link, slots } = this.#home;
    if (slots === undefined) return link;
    const owner = slots.ownerOf(slot);
    return owner && this.#linkAt(owner);
  }

  #linkAt(address: RedisAddress): RedisLink {
    const key = formatAddress(address);
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const subscriptions = this.#subscriptions;
    const link: RedisLink = new RedisLink(this.#options, {
      address: () => address,
      restore: () => subscriptions.restore(link),
      lost: (connection) => {
        subscriptions.lost(connection, connection.lastSeenAt);
        this.#home.lookSoon();
      },
      failed: () => this.#home.lookSoon(),
      moved: (name, connection) => subscriptions.moved(name, connection),
      opened: () => subscriptions.tellGap(),
    });
    this.#links.set(key, link);
    return link;
  }

  #dropIdle(): void {
    const owners = this.#home.slots?.owners;
    for (const [key, link] of this.#links) {
      if (owners?.has(key)) this.#idle.delete(key);
      else if (link.connection !== undefined && !this.#idle.has(key)) this.#idle.add(key);
      else {
        link.close(new RedisRedirection("later"));
        this.#links.delete(key);
        this.#idle.delete(key);
      }
    }
  }

  #pause(tries: number): Promise<void> {
    const ms = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** tries);
    return pause(this.#options.clock, ms);
  }
}
