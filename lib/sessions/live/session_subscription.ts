import type {
  BoundConnection,
  LiveEntry,
  SessionBinding,
  SessionWatcher,
} from "./registry_entry.ts";

/** The registry that holds session subscriptions. */
export interface BindingKeeper {
  /**
   * Called when a subscription ends: the connection ended, or was unbound. May be called more than
   * once.
   */
  released(binding: LiveBinding): void;
}

/** A connection's subscription to its session. It is also the connection's end listener. */
export class LiveBinding implements SessionBinding {
  over = false;
  /** Messages that the connection receives count as use of the session only if it is proved. */
  isProved = false;
  readonly entry: LiveEntry;
  readonly connection: BoundConnection;
  readonly watcher: SessionWatcher;
  readonly #keeper: BindingKeeper;

  constructor(
    entry: LiveEntry,
    connection: BoundConnection,
    { watcher, keeper }: { watcher: SessionWatcher; keeper: BindingKeeper },
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
