import type { LayerGap } from "./channel_layer.ts";
import type { RedisConnection } from "./redis_connection.ts";
import type { RedisLink } from "./redis_link.ts";
import { RedisRedirection } from "./redis_refusal.ts";
import type { RedisListener } from "./redis_socket.ts";

/** Takes what is published under a name. */
export interface Subscriber {
  readonly receive: RedisListener;
  /** What was published and did not come yet does not come any more. */
  lost?(): void;
}

interface Subscription extends Subscriber {
  users: number;
  /** Over which node it listens; undefined while it is a stray. */
  link: RedisLink | undefined;
  /** Settles when Redis has noted it. */
  noted: Promise<void>;
  /** For a stray: settles `noted`. */
  found: (() => void) | undefined;
  /** Whether it has listened at all. */
  wasHeard: boolean;
  /** Since when it misses messages, where it did not before. */
  lostAt: number | undefined;
}

/** What {@linkcode RedisSubscriptions} work with. */
export interface SubscriptionsContext {
  now(): number;
  /** The node that has what is called `name`; undefined where none is known to. */
  linkOf(name: string): RedisLink | undefined;
  /** Since when it is not certain that who had what is what is known. */
  certainUntil(): number;
  /** Some have no node: `place()` is to be called once it is known who has what. */
  strayed(): void;
  recovered(gap: LayerGap): void;
}

/**
 * Which names this process listens to: once each, however many want it, over the node that has it. One
 * whose node does not have it any more is a *stray*, until it is placed again.
 */
export class RedisSubscriptions {
  readonly #context: SubscriptionsContext;
  readonly #wanted = new Map<string, Subscription>();
  readonly #strays = new Set<string>();

  constructor(context: SubscriptionsContext) {
    this.#context = context;
  }

  get hasStrays(): boolean {
    return this.#strays.size > 0;
  }

  /** Listens; `noted()` says when it is certain that messages come. */
  add(name: string, subscriber: Subscriber): void {
    const known = this.#wanted.get(name);
    if (known !== undefined) {
      known.users++;
      return;
    }
    const subscription: Subscription = {
      ...subscriber,
      users: 1,
      link: undefined,
      noted: Promise.resolve(),
      found: undefined,
      wasHeard: false,
      lostAt: undefined,
    };
    this.#wanted.set(name, subscription);
    void this.#place(name, subscription);
  }

  remove(name: string): void {
    const known = this.#wanted.get(name);
    if (known === undefined || --known.users > 0) return;
    this.#wanted.delete(name);
    this.#strays.delete(name);
    known.found?.();
    known.link?.connection?.unsubscribe(name).catch(() => {});
  }

  /** Whether what is published over `connection` from now on comes back over it. */
  hears(name: string, connection: RedisConnection): boolean {
    return this.#wanted.get(name)?.link?.connection === connection;
  }

  /** @throws {LayerError} `UNAVAILABLE`: its node is not there. */
  async noted(name: string): Promise<void> {
    while (true) {
      const subscription = this.#wanted.get(name);
      if (subscription === undefined) return;
      const { link, noted } = subscription;
      await link?.ready();
      await noted.catch((error) => {
        if (!(error instanceof RedisRedirection) || subscription.noted === noted) throw error;
      });
      // It may have moved meanwhile.
      if (link !== undefined && subscription.link === link && subscription.noted === noted) return;
    }
  }

  /** Subscribes to what is wanted of a node on a new connection. @throws {LayerError} `UNAVAILABLE`. */
  async restore(link: RedisLink, connection: RedisConnection): Promise<void> {
    const own = [...this.#wanted].filter(([, subscription]) => subscription.link === link);
    await Promise.all(own.map(async ([name, subscription]) => {
      subscription.noted = connection.subscribe(name, subscription.receive);
      try {
        await subscription.noted;
        subscription.wasHeard = true;
      } catch (error) {
        if (!(error instanceof RedisRedirection)) throw error;
        this.#stray(name, subscription, link.cutOffAt);
      }
    }));
    for (const [name, subscription] of own) {
      if (this.#wanted.get(name) !== subscription) await connection.unsubscribe(name);
    }
  }

  /** A node is not there any more, for now. */
  linkLost(link: RedisLink): void {
    for (const subscription of this.#wanted.values()) {
      if (subscription.link === link) subscription.lost?.();
    }
  }

  /** A node says that it does not have a name any more. */
  moved(link: RedisLink, name: string): void {
    const subscription = this.#wanted.get(name);
    if (subscription?.link === link) this.#stray(name, subscription);
  }

  /**
   * Lets each listen over the node that has it now. Resolves when they do, as far as they can, and
   * says that there was a gap.
   */
  async place(): Promise<void> {
    const moving = [...this.#wanted].filter(([name, { link }]) =>
      link === undefined || link !== this.#context.linkOf(name)
    );
    const since = await Promise.all(moving.map(async ([name, subscription]) => {
      const old = subscription.link;
      if (old !== undefined) {
        old.connection?.unsubscribe(name).catch(() => {});
        this.#lose(subscription, old.cutOffAt);
      }
      return await this.#place(name, subscription);
    }));
    const known = since.filter((time) => time !== undefined);
    if (known.length === 0) return;
    this.#context.recovered({ since: Math.min(...known), until: this.#context.now() });
  }

  /** Returns since when messages were missed that come again. */
  async #place(name: string, subscription: Subscription): Promise<number | undefined> {
    const link = this.#context.linkOf(name);
    if (link === undefined) return void this.#wait(name, subscription);
    subscription.link = link;
    this.#strays.delete(name);
    const { connection } = link;
    const { lostAt } = subscription;
    if (connection === undefined) {
      // It is restored with the others of the node, and the node tells of the gap.
      link.open(lostAt);
      this.#find(subscription);
      return;
    }
    const noted = subscription.noted = connection.subscribe(name, subscription.receive);
    noted.catch(() => {});
    try {
      await noted;
      subscription.wasHeard = true;
      this.#find(subscription);
      return lostAt;
    } catch (error) {
      if (subscription.link !== link || this.#wanted.get(name) !== subscription) return;
      const isHere = link.connection === connection;
      // Whoever was told that it is heard is not left alone with a node that refuses.
      if (error instanceof RedisRedirection || (isHere && subscription.wasHeard)) {
        this.#stray(name, subscription);
      } else if (lostAt !== undefined && !isHere) link.open(lostAt);
    }
  }

  #find(subscription: Subscription): void {
    subscription.lostAt = undefined;
    subscription.found?.();
    subscription.found = undefined;
  }

  #stray(name: string, subscription: Subscription, since?: number): void {
    this.#lose(subscription, since);
    this.#wait(name, subscription);
  }

  #lose(subscription: Subscription, since: number | undefined): void {
    subscription.link = undefined;
    if (subscription.wasHeard) subscription.lostAt ??= since ?? this.#context.certainUntil();
    subscription.lost?.();
  }

  #wait(name: string, subscription: Subscription): void {
    this.#strays.add(name);
    if (subscription.found === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      subscription.noted = promise;
      subscription.found = resolve;
    }
    this.#context.strayed();
  }
}
