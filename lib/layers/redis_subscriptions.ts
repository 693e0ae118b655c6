import type { RedisConnection, RedisListener } from "./redis_connection.ts";

interface Subscription {
  readonly listener: RedisListener;
  users: number;
  /** Settles when Redis has noted it on the connection that is there. */
  noted: Promise<void>;
}

/** Which names this process listens to: once each, however many want it, over all connections. */
export class RedisSubscriptions {
  readonly #connection: () => RedisConnection | undefined;
  readonly #wanted = new Map<string, Subscription>();

  constructor(connection: () => RedisConnection | undefined) {
    this.#connection = connection;
  }

  /** Listens; `noted()` says when it is certain that messages come. */
  add(name: string, listener: RedisListener): void {
    const known = this.#wanted.get(name);
    if (known !== undefined) {
      known.users++;
      return;
    }
    const noted = this.#connection()?.subscribe(name, listener) ?? Promise.resolve();
    noted.catch(() => {});
    this.#wanted.set(name, { listener, users: 1, noted });
  }

  remove(name: string): void {
    const known = this.#wanted.get(name);
    if (known === undefined || --known.users > 0) return;
    this.#wanted.delete(name);
    this.#connection()?.unsubscribe(name, known.listener).catch(() => {});
  }

  /** @throws {LayerError} `UNAVAILABLE`: the connection was lost. */
  async noted(name: string): Promise<void> {
    await this.#wanted.get(name)?.noted;
  }

  /** Subscribes to everything on a new connection. @throws {LayerError} `UNAVAILABLE`. */
  async restore(connection: RedisConnection): Promise<void> {
    const names = [...this.#wanted];
    for (const [name, subscription] of names) {
      subscription.noted = connection.subscribe(name, subscription.listener);
      subscription.noted.catch(() => {});
    }
    await Promise.all(names.map(([, subscription]) => subscription.noted));
    for (const [name, subscription] of names) {
      if (this.#wanted.get(name) !== subscription) {
        await connection.unsubscribe(name, subscription.listener);
      }
    }
  }
}
