import { formatAddress, type RedisAddress } from "./redis_address.ts";
import { RedisRedirection } from "./errors.ts";
import {
  type ConnectionWatcher,
  ReconnectingConnection,
  type ReconnectingConnectionOptions,
} from "./reconnecting_connection.ts";

/** Callbacks of {@linkcode ClusterNodes}; see {@linkcode ConnectionWatcher}. */
export interface NodeWatcher extends Pick<ConnectionWatcher, "lost" | "moved" | "opened"> {
  /** Called with the link of each new connection, to restore its subscriptions. */
  restore(link: ReconnectingConnection): Promise<void>;
  /** Called when a connection has ended, or an attempt has failed. */
  failed(): void;
}

/** The connections to the nodes of a cluster, by address. */
export class ClusterNodes {
  readonly #options: ReconnectingConnectionOptions;
  readonly #watcher: NodeWatcher;
  readonly #links = new Map<string, ReconnectingConnection>();
  /** Nodes that had no slot at the last check. */
  readonly #idle = new Set<string>();

  constructor(options: ReconnectingConnectionOptions, watcher: NodeWatcher) {
    this.#options = options;
    this.#watcher = watcher;
  }

  /** Returns the link to a node, which opens at first use. */
  linkTo(address: RedisAddress): ReconnectingConnection {
    const key = formatAddress(address);
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const { restore, lost, failed, moved, opened } = this.#watcher;
    const link: ReconnectingConnection = new ReconnectingConnection(this.#options, {
      address: () => address,
      restore: () => restore(link),
      lost: (connection) => (lost(connection), failed()),
      failed,
      moved,
      opened,
    });
    this.#links.set(key, link);
    return link;
  }

  /** Closes connections to nodes that had no slot at this check and the one before. */
  dropIdle(owners: ReadonlyMap<string, RedisAddress> | undefined): void {
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

  /** Closes all connections. */
  close(): void {
    for (const link of this.#links.values()) link.close();
  }
}
