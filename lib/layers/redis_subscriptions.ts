import type { LayerGap } from "./channel_layer.ts";
import type { RedisConnection } from "./redis_connection.ts";
import type { RedisLink } from "./redis_link.ts";
import { RedisRedirection, unavailable } from "./redis_refusal.ts";
import { slotOf } from "./redis_slots.ts";
import type { RedisListener } from "./redis_socket.ts";

interface Subscription {
  readonly name: string;
  readonly slot: number;
  readonly receive: RedisListener;
  users: number;
  /** The connection that was asked to subscribe; `undefined` while there is none to ask. */
  on: RedisConnection | undefined;
  /** Counts what was asked, so that a late answer is told from the last one. */
  attempt: number;
  /** Resolves when that connection has confirmed. */
  heard: PromiseWithResolvers<void>;
  isHeard: boolean;
  /** Since when messages are missed that would have arrived before. */
  lostAt: number | undefined;
}

/** What {@linkcode RedisSubscriptions} work with. */
export interface SubscriptionsContext {
  now(): number;
  /** The node that has a slot; `undefined` if no node is known to have it. */
  linkOf(slot: number): RedisLink | undefined;
  /** The last time at which the nodes are known to have had their names. */
  certainUntil(): number;
  /** Called when a node that answers does not take a name, or no node is known: `place()` is due. */
  strayed(slot: number, error?: RedisRedirection): void;
  recovered(gap: LayerGap): void;
}

/**
 * The names that this process listens to: once each, whatever the number of users, over the connection
 * to the node that has the name.
 *
 * One rule holds after every event: a name whose node has a connection is subscribed on exactly that
 * connection, or is a *stray* that `place()` looks after.
 */
export class RedisSubscriptions {
  readonly #context: SubscriptionsContext;
  readonly #wanted = new Map<string, Subscription>();
  /** Since when something was missed that is heard again, and has not been told. */
  #gapSince: number | undefined;

  constructor(context: SubscriptionsContext) {
    this.#context = context;
  }

  /** Listens; `noted()` tells when messages are certain to arrive. */
  add(name: string, receive: RedisListener): void {
    const known = this.#wanted.get(name);
    if (known !== undefined) {
      known.users++;
      return;
    }
    const subscription: Subscription = {
      name,
      slot: slotOf(name),
      receive,
      users: 1,
      on: undefined,
      attempt: 0,
      heard: newHeard(),
      isHeard: false,
      lostAt: undefined,
    };
    this.#wanted.set(name, subscription);
    void this.#place(subscription).catch(() => {});
  }

  remove(name: string): void {
    const known = this.#wanted.get(name);
    if (known === undefined || --known.users > 0) return;
    this.#wanted.delete(name);
    known.heard.resolve();
    known.on?.unsubscribe(name).catch(() => {});
  }

  /** Whether what is published over `connection` from now on comes back over it. */
  hears(name: string, connection: RedisConnection): boolean {
    return this.#wanted.get(name)?.on === connection;
  }

  /**
   * Resolves when messages are certain to arrive.
   *
   * @throws {LayerError} `UNAVAILABLE`: its node cannot be reached, or refuses.
   */
  async noted(name: string): Promise<void> {
    const subscription = this.#wanted.get(name);
    if (subscription === undefined || subscription.isHeard) return;
    const { heard } = subscription;
    if (subscription.on === undefined) {
      // Rejects at once if the node is known to be gone.
      await this.#context.linkOf(subscription.slot)?.ready();
      if (this.#wanted.get(name) === subscription) void this.#place(subscription).catch(() => {});
    }
    await heard.promise;
  }

  /** Subscribes on a new connection to everything that is wanted of its node. */
  async restore(link: RedisLink): Promise<void> {
    const own = [...this.#wanted.values()].filter(({ slot }) =>
      this.#context.linkOf(slot) === link
    );
    await Promise.all(own.map((subscription) => this.#place(subscription)));
  }

  /** Takes note of the end of a connection, over which everything arrived until `since`. */
  lost(connection: RedisConnection, since: number): void {
    for (const subscription of this.#wanted.values()) {
      if (subscription.on === connection) this.#lose(subscription, since);
    }
  }

  /** Takes note that a node has ended a subscription. */
  moved(name: string, connection: RedisConnection): void {
    const subscription = this.#wanted.get(name);
    if (subscription?.on === connection) this.#stray(subscription);
  }

  /** Lets each name be heard over the node that has it. Resolves when that is done, as far as it can be. */
  async place(): Promise<void> {
    await Promise.all([...this.#wanted.values()].map((subscription) => this.#place(subscription)));
  }

  /** Tells of the gap in what is heard again, if there was one. */
  tellGap(): void {
    const since = this.#gapSince;
    this.#gapSince = undefined;
    if (since !== undefined) this.#context.recovered({ since, until: this.#context.now() });
  }

  /** Ends all waiting. */
  close(error: Error): void {
    for (const { heard } of this.#wanted.values()) heard.reject(error);
    this.#wanted.clear();
  }

  async #place(subscription: Subscription): Promise<void> {
    const { name, slot } = subscription;
    const link = this.#context.linkOf(slot);
    const connection = link?.carrier;
    if (subscription.on !== undefined && subscription.on !== connection) {
      subscription.on.unsubscribe(name).catch(() => {});
      this.#lose(subscription, this.#context.certainUntil());
    }
    if (link === undefined) return this.#context.strayed(slot);
    // Without a connection, it is restored with the others of its node.
    if (connection === undefined) return link.open();
    if (subscription.on === undefined) await this.#subscribe(subscription, connection);
  }

  async #subscribe(subscription: Subscription, connection: RedisConnection): Promise<void> {
    const { name } = subscription;
    subscription.on = connection;
    const attempt = ++subscription.attempt;
    try {
      await connection.subscribe(name, subscription.receive);
      if (subscription.attempt === attempt) this.#hear(subscription);
    } catch (error) {
      if (subscription.attempt !== attempt) return;
      const isKnown = subscription.lostAt !== undefined;
      const redirection = error instanceof RedisRedirection ? error : undefined;
      if (redirection !== undefined || isKnown) this.#stray(subscription, redirection);
      else this.#fail(subscription, error);
    }
  }

  #hear(subscription: Subscription): void {
    const { lostAt } = subscription;
    subscription.isHeard = true;
    subscription.lostAt = undefined;
    subscription.heard.resolve();
    if (lostAt !== undefined) this.#gapSince = Math.min(lostAt, this.#gapSince ?? lostAt);
  }

  /** A node that answers has not taken it: it has moved, or was heard before and is not given up. */
  #stray(subscription: Subscription, error?: RedisRedirection): void {
    this.#lose(subscription, this.#context.certainUntil());
    this.#context.strayed(subscription.slot, error);
  }

  /** What waits for a name that has moved goes on waiting: it is found, or the limit comes. */
  #lose(subscription: Subscription, since: number): void {
    subscription.on = undefined;
    subscription.attempt++;
    if (!subscription.isHeard) return;
    subscription.isHeard = false;
    subscription.lostAt ??= since;
    subscription.heard = newHeard();
  }

  #fail(subscription: Subscription, error: unknown): void {
    subscription.on = undefined;
    subscription.heard.reject(unavailable(error));
    subscription.heard = newHeard();
  }
}

function newHeard(): PromiseWithResolvers<void> {
  const heard = Promise.withResolvers<void>();
  heard.promise.catch(() => {});
  return heard;
}
