import type { Messages } from "../../protocol/mod.ts";
import { socketUrl } from "../_socket_url.ts";
import { connect } from "../connect.ts";
import type { ConnectOptions } from "../connect_options.ts";
import type { RealtimeSocket } from "../realtime_socket.ts";

/** How long a socket that no component uses stays open: a remount takes it over, in milliseconds. */
const LINGER_MS = 50;

/** A socket and the number of components that use it. */
interface Shared {
  readonly socket: RealtimeSocket<Messages>;
  uses: number;
}

const sockets = new Map<string, Shared>();

/**
 * Returns the socket of an address, and a function that releases it. Components of one page that use
 * the same address for the same user share one connection. It closes shortly after the last release.
 */
export function acquireSocket(
  address: string,
  options: ConnectOptions,
): [socket: RealtimeSocket<Messages>, release: () => void] {
  const base = options.environment?.baseUrl ?? globalThis.location?.href;
  const key = JSON.stringify([socketUrl(address, base), options.user ?? null]);
  let shared = sockets.get(key);
  // A socket that was closed by hand is not handed out again.
  if (shared === undefined || shared.socket.state === "closed") {
    sockets.set(key, shared = { socket: connect(address, options), uses: 0 });
  }
  const own = shared;
  own.uses++;
  let isReleased = false;
  return [own.socket, () => {
    if (isReleased) return;
    isReleased = true;
    own.uses--;
    // Strict Mode and fast refresh unmount and mount at once.
    setTimeout(() => {
      if (own.uses > 0) return;
      if (sockets.get(key) === own) sockets.delete(key);
      own.socket.close();
    }, LINGER_MS);
  }];
}
