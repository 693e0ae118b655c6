import { systemClock } from "../core/clock.ts";
import type { ProcessLayer } from "../cluster/process_group.ts";
import type { KeyValue } from "../kv/mod.ts";
import { KvSocketCounts } from "./connections/kv_socket_counts.ts";
import { KvSessionStore } from "./kv_session_store.ts";
import { KvControlLog } from "./revocation/kv_control_log.ts";
import { RevocationBroadcast } from "./revocation/revocation_broadcast.ts";
import type { SessionsOptions } from "./session_rules.ts";
import { Sessions } from "./sessions.ts";

/**
 * Creates sessions that several processes share: a store and a control log in one database, socket
 * counts, and the announcement of ended sessions over the channel layer. Nothing connects before its
 * first use.
 *
 * @example
 * ```ts
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 * import { createSessions } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * await using kv = new MemoryKeyValue();
 * await using services = createSessions(kv);
 * const { token } = await services.sessions.create({ userId: "u1", provider: "dev" });
 * assert.equal((await services.sessions.find(token)).state, "live");
 * ```
 */
export function createSessions(kv: KeyValue, options: Omit<SessionsOptions, "controlLog"> & {
  /**
   * The channel layer between the processes. With it, other processes close the sockets of an ended
   * session within milliseconds; without it, or if it cannot be reached, within a second. A layer
   * for a single process is not used.
   */
  readonly layer?: ProcessLayer & { readonly extensions: readonly string[] };
} = {}): AsyncDisposable & {
  /** Creates, finds, renews and ends sessions. */
  readonly sessions: Sessions;
  /** The log of events of all processes: for the store of users, so that changes of users reach all. */
  readonly controlLog: KvControlLog;
  /** The open sockets of each session, over all processes. */
  readonly socketCounts: {
    /** Returns the numbers of open sockets by session: current for this process, as last written for others. */
    count(sessionIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  };
  /** Stops following the other processes. Close the layer and the database afterwards. */
  close(): Promise<void>;
} {
  const { layer, clock = systemClock, log } = options;
  const controlLog = new KvControlLog(kv);
  const store = new KvSessionStore(kv, { clock, controlLog });
  const sessions = new Sessions(store, { ...options, controlLog });
  const socketCounts = new KvSocketCounts(kv, { connections: sessions.connections, log, clock });
  const stops = [sessions.connections.followWith(socketCounts)];
  // A single process needs no announcement: it applies its own events at once.
  if (layer?.extensions.includes("processes")) {
    stops.push(new RevocationBroadcast(sessions, layer).connect());
  }
  const close = async () => {
    for (const stop of stops) stop();
    sessions.close();
    await socketCounts.close().catch(() => {}); // Remaining counts expire after 20 s.
  };
  return { sessions, controlLog, socketCounts, close, [Symbol.asyncDispose]: close };
}
