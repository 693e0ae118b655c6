import type {
  RegistryEntry,
  SessionSubscription,
  SessionWatcher,
  SubscribedConnection,
} from "./registry_entry.ts";

/** The registry that holds session subscriptions. */
export interface SubscriptionKeeper {
  /**
   * Called when a subscription ends: the connection ended, or was unbound. May be called more than
   * once.
   */
  released(binding: RegistrySubscription): void;
}

/** A connection's subscription to its session. It is also the connection's end listener. */
export class RegistrySubscription implements SessionSubscription {
  over = false;
  /** Messages that the connection receives count as use of the session only if it is proved. */
  isProved = false;
  readonly entry: RegistryEntry;
  readonly connection: SubscribedConnection;
  readonly watcher: SessionWatcher;
  readonly #keeper: SubscriptionKeeper;

  constructor(
    entry: RegistryEntry,
    connection: SubscribedConnection,
    { watcher, keeper }: { watcher: SessionWatcher; keeper: SubscriptionKeeper },
  ) {
    this.entry = entry;
    this.connection = connection;
    this.watcher = watcher;
    this.#keeper = keeper;
  }

  prove(): void {
    this.isProved = true;
  }

  ended(): void {
    this.#keeper.released(this);
  }

  release(): void {
    this.connection.offEnd(this);
    this.#keeper.released(this);
  }
}
