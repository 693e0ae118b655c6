import type { BoundConnection, LiveEntry, SessionBinding, SessionWatcher } from "./live_entry.ts";

/** Who keeps the ties of connections to sessions. */
export interface BindingKeeper {
  /** A tie is over: the connection ended, or was untied. May be called more than once. */
  released(binding: LiveBinding): void;
}

/** A connection's tie to its session: itself what is told of the connection's end. */
export class LiveBinding implements SessionBinding {
  over = false;
  /** Only then does what the connection receives count as use of the session. */
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
