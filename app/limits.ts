import type { Clock } from "@sluice/sluice";
import type { ChannelLayer } from "@sluice/sluice/layers";
import {
  type Limiter,
  LocalSocketCounter,
  networkOf,
  RateLimiter,
  type RateLimiterOptions,
  SharedRateLimiter,
  SharedSocketCounter,
  type SocketCounter,
} from "@sluice/sluice/security";
import type { Settings } from "./settings.ts";

/** What limits persons and addresses: over all processes where the layer spans them. */
export interface Limits {
  /** Counts open sockets. */
  readonly sockets: SocketCounter;
  /** How often an address may ask for a socket. */
  readonly handshakes: Limiter;
  /** How often an address may sign in, where that is limited. */
  readonly signIns: Limiter | undefined;
  /** How often an address may begin to sign in a program, where that is limited. */
  readonly devices: Limiter | undefined;
  /** Begins to count with other processes, so that the first sockets need not wait for that. */
  join(): Promise<void>;
  /**
   * Tells other processes that this one's sockets are about to go: they count no more, so that somebody
   * who has as many as they may can come back elsewhere.
   */
  leave(): Promise<void>;
  /** Limits no more together with other processes. */
  close(): Promise<void>;
}

/** Creates the limits of this process, or what it has of those of all. */
export function createLimits(settings: Settings, layer: ChannelLayer, clock: Clock): Limits {
  const isShared = layer.extensions.includes("processes");
  const sockets = isShared ? new SharedSocketCounter(layer, { clock }) : new LocalSocketCounter();
  const shared: SharedRateLimiter[] = [];
  const { signInsPerAddress } = settings;
  const attempts = (name: string) =>
    signInsPerAddress === undefined
      ? undefined
      : byNetwork(createLimiter(name, { perMinute: signInsPerAddress }));
  return {
    sockets,
    handshakes: createLimiter("handshakes", handshakeRate(settings)),
    signIns: attempts("sign_ins"),
    devices: attempts("devices"),
    join: () => sockets instanceof SharedSocketCounter ? sockets.join() : Promise.resolve(),
    leave,
    async close() {
      for (const limiter of shared) limiter.close();
      await leave();
    },
  };

  async function leave(): Promise<void> {
    if (sockets instanceof SharedSocketCounter) await sockets.close();
  }

  function createLimiter(name: string, rate: RateLimiterOptions): Limiter {
    if (!isShared) return new RateLimiter({ ...rate, clock });
    const controlGroup = `sluice.rates.${name}`;
    const limiter = new SharedRateLimiter(layer, { ...rate, clock, controlGroup });
    shared.push(limiter);
    return limiter;
  }
}

/** Six thousand a minute, and at once ten times as many as an address may have sockets. */
function handshakeRate({ handshakesPerAddress, socketsPerAddress }: Settings): RateLimiterOptions {
  if (handshakesPerAddress !== undefined) return { perMinute: handshakesPerAddress };
  return { perMinute: 6_000, burst: Math.max(6_000, 10 * socketsPerAddress) };
}

function byNetwork(limiter: Limiter): Limiter {
  return { take: (address) => limiter.take(networkOf(address)) };
}
