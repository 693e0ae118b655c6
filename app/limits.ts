import type { Clock, Log } from "@sluice/sluice";
import type { GuessLimiter } from "@sluice/sluice/auth";
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
  /** How often an address may begin to sign in a program. */
  readonly devices: Limiter;
  /** How often the programs of an address may ask if they were approved. */
  readonly devicePolls: Limiter;
  /** How many wrong codes of programs a user, and an address, may type in. */
  readonly userCodes: GuessLimiter;
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

/** Programs of an address that may begin to sign in each minute, if sign-ins are not limited. */
const DEVICES_PER_MINUTE = 600;

/** What counts as the limit of sign-ins for polls, if sign-ins are not limited. */
const SIGN_INS_PER_MINUTE = 60;

/** A program asks every five seconds, twelve times a minute; not all that begin wait at once. */
const POLLS_PER_DEVICE = 10;

/** Of 34 random bits, this is too slow to find a code within the ten minutes that it is good for. */
const WRONG_CODES_PER_MINUTE = 20;

/** Creates the limits of this process, or what it has of those of all. */
export function createLimits(
  settings: Settings,
  layer: ChannelLayer,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Limits {
  const isShared = layer.extensions.includes("processes");
  const sockets = isShared
    ? new SharedSocketCounter(layer, { clock, log })
    : new LocalSocketCounter();
  const shared: SharedRateLimiter[] = [];
  const { signInsPerAddress: signIns } = settings;
  const perAddress = (name: string, perMinute: number) =>
    byNetwork(createLimiter(name, { perMinute }));
  return {
    sockets,
    handshakes: createLimiter("handshakes", handshakeRate(settings)),
    signIns: signIns === undefined ? undefined : perAddress("sign_ins", signIns),
    devices: perAddress("devices", signIns ?? DEVICES_PER_MINUTE),
    devicePolls: perAddress("device_polls", POLLS_PER_DEVICE * (signIns ?? SIGN_INS_PER_MINUTE)),
    userCodes: createLimiter("user_codes", { perMinute: WRONG_CODES_PER_MINUTE }),
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

  function createLimiter(name: string, rate: RateLimiterOptions): Limiter & GuessLimiter {
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
