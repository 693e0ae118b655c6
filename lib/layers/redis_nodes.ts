import type { LayerGap } from "./channel_layer.ts";
import { closedError } from "./layer_error.ts";
import { formatAddress, parseNode, type RedisAddress } from "./redis_address.ts";
import type { RedisConnection } from "./redis_connection.ts";
import { RedisDetours } from "./redis_detours.ts";
import { RedisHome, type RedisHomeOptions } from "./redis_home.ts";
import { RedisLink } from "./redis_link.ts";
import { RedisRedirection, unavailable } from "./redis_refusal.ts";
import { RedisSubscriptions, type Subscriber } from "./redis_subscriptions.ts";

type Work<T> = (connection: RedisConnection) => Promise<T>;

/** Something that is to be done: its place among what was asked for, and since when. */
interface Call {
  readonly serial: number;
  readonly startedAt: number;
}

/** How long to wait for a cluster that is about to change, in milliseconds. */
const MIN_PAUSE_MS = 10;
const MAX_PAUSE_MS = 200;

/**
 * A Redis, or all nodes of a Redis Cluster: finds out which of both it is, asks who has what is
 * needed, and follows where that moves.
 *
 * In a cluster, a connection of its own (`home`) asks who has which slot; each node that has something
 * gets one for commands and subscriptions. Without one, home carries all.
 */
export class RedisNodes {
  readonly #options: RedisHomeOptions;
  readonly #tellGap: (gap: LayerGap) => void;
  readonly #home: RedisHome;
  readonly #links = new Map<string, RedisLink>();
  /** Nodes that had nothing when it was looked last. */
  readonly #idle = new Set<string>();
  readonly #subscriptions: RedisSubscriptions;
  readonly #detours = new RedisDetours();
  #serial = 0;
  #isPlacing = false;
  #isClosed = false;

  constructor(options: RedisHomeOptions, tellGap: (gap: LayerGap) => void) {
    this.#options = options;
    this.#tellGap = tellGap;
    const subscriptions = this.#subscriptions = new RedisSubscriptions({
      now: () => options.clock.now(),
      linkOf: (name) => this.#linkOf(name),
      certainUntil: () => this.#home.lookedAt,
      strayed: () => void this.#placeStrays(),
      recovered: tellGap,
    });
    const home: RedisHome = this.#home = new RedisHome(options, {
      known: async (isNew) => {
        if (isNew) await subscriptions.place();
        this.#dropIdle();
      },
      restore: (connection) => subscriptions.restore(home.link, connection),
      lost: () => subscriptions.linkLost(home.link),
      recovered: tellGap,
    });
  }

  /** Whether it is a cluster, as far as it is known. */
  get isCluster(): boolean {
    return this.#home.slots !== undefined;
  }

  /** Resolves when it is known where everything is. @throws {LayerError} `UNAVAILABLE`, or `CLOSED`. */
  async ready(): Promise<void> {
    if (this.#isClosed) throw closedError();
    if (!this.isCluster) await this.#home.link.ready();
  }

  /**
   * Does something where `name` is: `work` has to send at once, and may be called again where nothing
   * was done. Takes `timeoutMs` at most.
   *
   * @throws {LayerError} `UNAVAILABLE`, or another one of `work`.
   */
  async run<T>(name: string, work: Work<T>): Promise<T> {
    if (this.#home.link.connection === undefined) await this.ready();
    if (!this.isCluster) return await this.#try(this.#home.link, work);
    const call = { serial: this.#serial++, startedAt: this.#options.clock.now() };
    const isHeldUp = this.#detours.isBefore(name, this.#linkOf(name));
    return isHeldUp ? await this.#detour(name, work, call) : await this.#send(name, work, call);
  }

  /** Does something on every node that has something, or the one that there is. */
  async everywhere(work: (connection: RedisConnection) => Promise<void>): Promise<void> {
    await this.ready();
    const { link: only, slots } = this.#home;
    const owners = [...slots?.owners.values() ?? []];
    const links = slots === undefined ? [only] : owners.map((address) => this.#linkAt(address));
    for (const link of links) await work(await link.ready());
  }

  /** Resolves where it answers, and a cluster says that it is well. @throws {LayerError} `UNAVAILABLE`. */
  async check(): Promise<void> {
    await this.#home.check();
  }

  /** Listens to a name, wherever it is; `noted()` says when it is certain that messages come. */
  listen(name: string, subscriber: Subscriber): void {
    this.#subscriptions.add(name, subscriber);
  }

  leave(name: string): void {
    this.#subscriptions.remove(name);
  }

  /** Whether what is published over `connection` from now on comes back over it. */
  hears(name: string, connection: RedisConnection): boolean {
    return this.#subscriptions.hears(name, connection);
  }

  /** @throws {LayerError} `UNAVAILABLE`: its node is not there. */
  async noted(name: string): Promise<void> {
    await this.ready();
    const { clock, timeoutMs } = this.#options;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = clock.after(timeoutMs, () => reject(unavailable()));
    try {
      await Promise.race([this.#subscriptions.noted(name), late]);
    } finally {
      cancel();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#home.close();
    for (const link of this.#links.values()) link.close();
  }

  #linkOf(name: string): RedisLink | undefined {
    const { link, slots } = this.#home;
    if (slots === undefined) return link;
    const owner = slots.ownerOf(name);
    return owner && this.#linkAt(owner);
  }

  #linkAt(address: RedisAddress): RedisLink {
    const key = formatAddress(address);
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const link: RedisLink = new RedisLink(this.#options, {
      address: () => address,
      restore: (connection) => this.#subscriptions.restore(link, connection),
      lost: () => {
        this.#subscriptions.linkLost(link);
        this.#home.lookSoon();
      },
      failed: () => this.#home.lookSoon(),
      moved: (name) => this.#subscriptions.moved(link, name),
      recovered: this.#tellGap,
    });
    this.#links.set(key, link);
    return link;
  }

  async #try<T>(link: RedisLink | undefined, work: Work<T>, isAsked = false): Promise<T> {
    if (link === undefined) throw new RedisRedirection("later");
    const connection = await link.ready();
    if (isAsked) connection.asking();
    return await work(connection);
  }

  async #send<T>(name: string, work: Work<T>, call: Call): Promise<T> {
    const link = this.#linkOf(name);
    const land = this.#detours.leave(name, link);
    let detour: Promise<T>;
    try {
      return await this.#try(link, work);
    } catch (error) {
      if (!(error instanceof RedisRedirection)) throw error;
      detour = this.#detour(name, work, call, error);
    } finally {
      land();
    }
    return await detour;
  }

  /** Tries again, in turn with whatever else is asked for the name. */
  #detour<T>(name: string, work: Work<T>, call: Call, error?: RedisRedirection): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#detours.hold(name, {
      serial: call.serial,
      alone: async () => {
        const outcome = this.#follow(name, work, call, error);
        outcome.then(resolve, reject);
        return await outcome.then(() => true, () => false);
      },
      along: () => void this.#send(name, work, call).then(resolve, reject),
    });
    return promise;
  }

  /** Tries where the redirections say, as long as a command may take. */
  async #follow<T>(name: string, work: Work<T>, call: Call, error?: RedisRedirection): Promise<T> {
    const until = call.startedAt + this.#options.timeoutMs;
    let asked = error && await this.#redirect(name, error, 0);
    for (let tries = 1;; tries++) {
      try {
        return await this.#try(asked ?? this.#linkOf(name), work, asked !== undefined);
      } catch (error) {
        if (!(error instanceof RedisRedirection) || this.#options.clock.now() >= until) throw error;
        asked = await this.#redirect(name, error, tries);
      }
    }
  }

  /** Returns whom to ask this once, where it is not who has the slot. */
  async #redirect(
    name: string,
    { kind, address }: RedisRedirection,
    tries: number,
  ): Promise<RedisLink | undefined> {
    const to = address === undefined ? undefined : parseNode(address);
    if (kind === "ask" && to !== undefined) return this.#linkAt(to);
    if (kind === "moved" && to !== undefined && tries < 2) {
      this.#home.slots?.move(name, to);
      void this.#subscriptions.place();
      this.#home.lookSoon();
    } else {
      await this.#pause(tries);
      await this.#home.look().catch(() => {});
    }
    return undefined;
  }

  async #placeStrays(): Promise<void> {
    if (this.#isPlacing) return;
    this.#isPlacing = true;
    for (let tries = 0; this.#subscriptions.hasStrays && !this.#isClosed; tries++) {
      await this.#home.look().catch(() => {});
      await this.#subscriptions.place();
      if (this.#subscriptions.hasStrays) await this.#pause(tries);
    }
    this.#isPlacing = false;
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
