import type { RedisConnection, RedisListener } from "./redis_connection.ts";
import type { ReconnectingConnection } from "./reconnecting_connection.ts";
import { RedisRedirection, unavailable } from "./errors.ts";
import { slotOf } from "./redis_slots.ts";

interface Subscription {
  readonly name: string;
  readonly slot: number;
  readonly receive: RedisListener;
  users: number;
  /** The connection that carries the subscription, if any. */
  on: RedisConnection | undefined;
  /** Numbers the attempts to subscribe, so that late replies to earlier ones are ignored. */
  attempt: number;
  /** Resolves when the subscription is confirmed. */
  confirmed: PromiseWithResolvers<void>;
  isConfirmed: boolean;
  /** When an active subscription was lost: messages may be missed since then. */
  lostAt: number | undefined;
}

/** A time in which messages may have been missed, in milliseconds since the epoch. */
export interface SubscriptionGap {
  readonly since: number;
  readonly until: number;
}

/** What {@linkcode RedisSubscriptions} are given. */
export interface SubscriptionsContext {
  now(): number;
  /** The node that has a slot; `undefined` if no node is known to have it. */
  connectionOf(slot: number): ReconnectingConnection | undefined;
  /** The last time at which all names were known to be on their nodes. */
  certainUntil(): number;
  /** Called when a node refuses a name, or no node is known. `assign()` must be called then. */
  unassigned(slot: number, error?: RedisRedirection): void;
  recovered(gap: SubscriptionGap): void;
}

/**
 * The subscriptions of this process: one per name, however many users it has, on the connection to the
 * node that has the name.
 *
 * Invariant after every event: a name whose node has a connection is subscribed on exactly that
 * connection, or is left to `assign()`.
 */
export class RedisSubscriptions {
  readonly #context: SubscriptionsContext;
  readonly #wanted = new Map<string, Subscription>();
  /** The start of a gap in restored subscriptions that has not been reported yet. */
  #gapSince: number | undefined;

  constructor(context: SubscriptionsContext) {
    this.#context = context;
  }

  /** Subscribes. {@linkcode subscribed} confirms it. */
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
      confirmed: newConfirmation(),
      isConfirmed: false,
      lostAt: undefined,
    };
    this.#wanted.set(name, subscription);
    void this.#assign(subscription).catch(() => {});
  }

  /** Ends one use of a name; with the last one, unsubscribes. */
  remove(name: string): void {
    const known = this.#wanted.get(name);
    if (known === undefined || --known.users > 0) return;
    this.#wanted.delete(name);
    known.confirmed.resolve();
    known.on?.unsubscribe(name);
  }

  /** Whether messages published over `connection` come back over it. */
  isSubscribed(name: string, connection: RedisConnection): boolean {
    return this.#wanted.get(name)?.on === connection;
  }

  /**
   * Resolves once messages are certain to arrive.
   *
   * @throws {RedisError} `UNAVAILABLE` if the node of the name is unreachable or refuses.
   */
  async subscribed(name: string): Promise<void> {
    const subscription = this.#wanted.get(name);
    if (subscription === undefined || subscription.isConfirmed) return;
    const { confirmed } = subscription;
    if (subscription.on === undefined) {
      // Rejects at once if the node is known to be gone.
      await this.#context.connectionOf(subscription.slot)?.ready();
      if (this.#wanted.get(name) === subscription) void this.#assign(subscription).catch(() => {});
    }
    await confirmed.promise;
  }

  /** Subscribes to all names of a node on its new connection. */
  async restore(link: ReconnectingConnection): Promise<void> {
    const own = [...this.#wanted.values()].filter(({ slot }) =>
      this.#context.connectionOf(slot) === link
    );
    await Promise.all(own.map((subscription) => this.#assign(subscription)));
  }

  /** Handles the end of a connection. All messages up to `since` arrived over it. */
  lost(connection: RedisConnection, since: number): void {
    for (const subscription of this.#wanted.values()) {
      if (subscription.on === connection) this.#lose(subscription, since);
    }
  }

  /** Handles a subscription that a node has ended. */
  moved(name: string, connection: RedisConnection): void {
    const subscription = this.#wanted.get(name);
    if (subscription?.on === connection) this.#unassign(subscription);
  }

  /** Subscribes each name on the node that has it. Resolves when all attempts have settled. */
  async assign(): Promise<void> {
    await Promise.all([...this.#wanted.values()].map((subscription) => this.#assign(subscription)));
  }

  /** Reports the gap of restored subscriptions, if there was one. */
  tellGap(): void {
    const since = this.#gapSince;
    this.#gapSince = undefined;
    if (since !== undefined) this.#context.recovered({ since, until: this.#context.now() });
  }

  /** Rejects all pending {@linkcode subscribed} calls. */
  close(error: Error): void {
    for (const { confirmed } of this.#wanted.values()) confirmed.reject(error);
    this.#wanted.clear();
  }

  async #assign(subscription: Subscription): Promise<void> {
    const { name, slot } = subscription;
    const link = this.#context.connectionOf(slot);
    const connection = link?.carrier;
    if (subscription.on !== undefined && subscription.on !== connection) {
      subscription.on.unsubscribe(name);
      this.#lose(subscription, this.#context.certainUntil());
    }
    if (link === undefined) return this.#context.unassigned(slot);
    // Without a connection, the name is restored with the others of its node.
    if (connection === undefined) return link.open();
    if (subscription.on === undefined) await this.#subscribe(subscription, connection);
  }

  async #subscribe(subscription: Subscription, connection: RedisConnection): Promise<void> {
    const { name } = subscription;
    subscription.on = connection;
    const attempt = ++subscription.attempt;
    try {
      await connection.subscribe(name, (text, name) => {
        // Another node of the same shard may deliver a copy until it has taken the name off its list.
        if (subscription.on === connection) subscription.receive(text, name);
      });
      if (subscription.attempt === attempt) this.#confirm(subscription);
    } catch (error) {
      if (subscription.attempt !== attempt) return;
      const isKnown = subscription.lostAt !== undefined;
      const redirection = error instanceof RedisRedirection ? error : undefined;
      if (redirection !== undefined || isKnown) this.#unassign(subscription, redirection);
      else this.#fail(subscription, error);
    }
  }

  #confirm(subscription: Subscription): void {
    const { lostAt } = subscription;
    subscription.isConfirmed = true;
    subscription.lostAt = undefined;
    subscription.confirmed.resolve();
    if (lostAt !== undefined) this.#gapSince = Math.min(lostAt, this.#gapSince ?? lostAt);
  }

  /** A node refused the name: its slot has moved, or it was active before and is retried. */
  #unassign(subscription: Subscription, error?: RedisRedirection): void {
    this.#lose(subscription, this.#context.certainUntil());
    this.#context.unassigned(subscription.slot, error);
  }

  /** Pending {@linkcode subscribed} calls continue to wait, until the name is found or they time out. */
  #lose(subscription: Subscription, since: number): void {
    subscription.on = undefined;
    subscription.attempt++;
    if (!subscription.isConfirmed) return;
    subscription.isConfirmed = false;
    subscription.lostAt ??= since;
    subscription.confirmed = newConfirmation();
  }

  #fail(subscription: Subscription, error: unknown): void {
    subscription.on = undefined;
    subscription.confirmed.reject(unavailable(error));
    subscription.confirmed = newConfirmation();
  }
}

function newConfirmation(): PromiseWithResolvers<void> {
  const confirmed = Promise.withResolvers<void>();
  confirmed.promise.catch(() => {});
  return confirmed;
}
