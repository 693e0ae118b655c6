import type { LayerGap } from "./channel_layer.ts";
import { closedError } from "./layer_error.ts";
import { formatAddress, parseNode, type RedisAddress } from "./redis_address.ts";
import type { RedisConnection } from "./redis_connection.ts";
import { RedisHome, type RedisHomeOptions } from "./redis_home.ts";
import { RedisLink } from "./redis_link.ts";
import { RedisRedirection, unavailable } from "./redis_refusal.ts";
import { slotOf } from "./redis_slots.ts";
import type { RedisListener } from "./redis_socket.ts";
import { RedisSubscriptions } from "./redis_subscriptions.ts";
import { within } from "./within.ts";

type Work<T> = (connection: RedisConnection) => Promise<T>;

/** The time between two attempts while a cluster changes, in milliseconds. */
const MIN_PAUSE_MS = 10;
const MAX_PAUSE_MS = 200;

/**
 * A single Redis, or all nodes of a Redis Cluster: detects which, routes commands by slot, and follows
 * slots that move.
 *
 * In a cluster, a connection of its own (`home`) asks which node has which slot; each node that has
 * something gets a connection for commands and subscriptions. To a single Redis, home carries all.
 */
export class RedisNodes {
  readonly #options: RedisHomeOptions;
  readonly #home: RedisHome;
  readonly #links = new Map<string, RedisLink>();
  /** Nodes that had no slot at the last look. */
  readonly #idle = new Set<string>();
  readonly #subscriptions: RedisSubscriptions;
  /** While calls wait for the first connection, later ones line up behind them. */
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
        // A single Redis is ready when all is subscribed; a node that hangs keeps no other one waiting.
        if (!this.isCluster) await subscriptions.place();
        else if (isNew) void this.#place().catch(() => {});
        this.#dropIdle();
      },
      // What a demoted primary has answered since the last look proves nothing.
      lost: (connection) => {
        subscriptions.lost(connection, Math.min(connection.lastSeenAt, home.lookedAt));
      },
      opened: () => subscriptions.tellGap(),
    });
  }

  /** Whether it is a cluster, as far as it is known. */
  get isCluster(): boolean {
    return this.#home.slots !== undefined;
  }

  /**
   * Does something at the node that has `name`: `work` has to send at once, and may be called again if
   * nothing was done. Takes `timeoutMs` at most, and a quarter of a second.
   *
   * @throws {LayerError} `UNAVAILABLE`, or another one of `work`.
   */
  run<T>(name: string, work: Work<T>): Promise<T> {
    const { connection } = this.#home.link;
    if (this.isCluster) return this.#runInCluster(name, work);
    if (connection === undefined || this.#opening) return this.#limited(this.#runLate(name, work));
    return work(connection);
  }

  /** Does something on every node that has a slot, or on the single Redis. */
  async everywhere(work: (connection: RedisConnection) => Promise<void>): Promise<void> {
    await this.#ready();
    const { link: only, slots } = this.#home;
    const owners = [...slots?.owners.values() ?? []];
    const links = slots === undefined ? [only] : owners.map((address) => this.#linkAt(address));
    for (const link of links) await work(await link.ready());
  }

  /**
   * Resolves if Redis is a primary, or its cluster is well, and what is published as `name` arrives here.
   *
   * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
   */
  check(name: string): Promise<void> {
    return this.#limited(this.#home.look().then(() => this.#subscriptions.noted(name)));
  }

  /** Listens to a name, wherever it is; `noted()` tells when messages are certain to arrive. */
  listen(name: string, receive: RedisListener): void {
    this.#subscriptions.add(name, receive);
  }

  leave(name: string): void {
    this.#subscriptions.remove(name);
  }

  /** Whether what is published over `connection` from now on comes back over it. */
  hears(name: string, connection: RedisConnection): boolean {
    return this.#subscriptions.hears(name, connection);
  }

  /** Resolves when messages to all names arrive. @throws {LayerError} `UNAVAILABLE`, or `CLOSED`. */
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
      // The first of those in line; the others follow before anything else can be called.
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

  /** Tries where the redirections say. */
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

  /** Returns the node to ask this once, if it is not the one that has the slot. */
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

  /** Notes what a redirection says. Returns whether that is news. */
  #follow(slot: number, error: RedisRedirection | undefined): boolean {
    const to = error?.kind === "moved" ? parseNode(error.address) : undefined;
    return to !== undefined && (this.#home.slots?.move(slot, to) ?? false);
  }

  /** Places strays: at once where redirections say, then where the cluster says, until there are none. */
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
      // A node that hangs keeps the others waiting for a moment only.
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
    return new Promise((resolve) => void this.#options.clock.after(ms, resolve));
  }
}
