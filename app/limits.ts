import type { Clock, Log } from "@sluice/sluice/server";
import type { ChannelLayer } from "@sluice/sluice/layers";
import { RateLimiter, SharedRateLimiter, SharedSocketCounter } from "@sluice/sluice/security";
import type { Settings } from "./settings/settings.ts";

/** Limits per user and per address, shared by all processes if the layer spans them. */
export interface Limits {
  /** Counts open sockets over all processes; undefined for a single one. */
  readonly sockets: SharedSocketCounter | undefined;
  /** Limits handshakes per address. */
  readonly handshakes: AttemptLimiter;
  /** Limits sign-ins per address, if configured. */
  readonly signIns: AttemptLimiter | undefined;
  /** Limits new program sign-ins per address. */
  readonly devices: AttemptLimiter;
  /** Limits polls of programs per address. */
  readonly devicePolls: AttemptLimiter;
  /** Limits wrong program codes per user and per address. */
  readonly userCodes: Guesses;
  /** Connects the counts with other processes, so that the first sockets need not wait for it. */
  join(): Promise<void>;
  /**
   * Announces that this process's sockets are about to close. They no longer count, so that a user
   * at the limit can reconnect to another process.
   */
  leave(): Promise<void>;
  /** Stops sharing the limits with other processes. */
  close(): Promise<void>;
}

/** Limits attempts by key, such as an address. */
export type AttemptLimiter = Pick<RateLimiter, "take">;

/** Wrong attempts count; right ones are given back. */
type Guesses = Pick<RateLimiter, "take" | "giveBack">;

type Rate = Pick<ConstructorParameters<typeof RateLimiter>[0], "perMinute" | "burst">;

/** New program sign-ins per address and minute, if sign-ins are not limited. */
const DEVICES_PER_MINUTE = 600;

/** The sign-in limit from which the limit of polls is derived, if sign-ins are not limited. */
const SIGN_INS_PER_MINUTE = 60;

/** A program polls every five seconds, twelve times a minute; not all of them wait at the same time. */
const POLLS_PER_DEVICE = 10;

/** Too slow to guess a code of 34 random bits within its ten minutes. */
const WRONG_CODES_PER_MINUTE = 20;

/** Creates the limits of this process, or its part of the shared limits. */
export function createLimits(
  settings: Settings,
  layer: ChannelLayer,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Limits {
  const isShared = layer.extensions.includes("processes");
  const sockets = isShared ? new SharedSocketCounter(layer, { clock, log }) : undefined;
  const shared: SharedRateLimiter[] = [];
  const { signInsPerAddress: signIns } = settings;
  return {
    sockets,
    handshakes: createLimiter("handshakes", handshakeRate(settings)),
    signIns: signIns === undefined ? undefined : createLimiter("sign_ins", { perMinute: signIns }),
    devices: createLimiter("devices", { perMinute: signIns ?? DEVICES_PER_MINUTE }),
    devicePolls: createLimiter("device_polls", {
      perMinute: POLLS_PER_DEVICE * (signIns ?? SIGN_INS_PER_MINUTE),
    }),
    userCodes: createLimiter("user_codes", { perMinute: WRONG_CODES_PER_MINUTE }),
    join: async () => await sockets?.join(),
    leave,
    async close() {
      for (const limiter of shared) limiter.close();
      await leave();
    },
  };

  async function leave(): Promise<void> {
    await sockets?.close();
  }

  function createLimiter(name: string, rate: Rate): Guesses {
    if (!isShared) return new RateLimiter({ ...rate, clock });
    const controlGroup = `sluice.rates.${name}`;
    const limiter = new SharedRateLimiter(layer, { ...rate, clock, controlGroup });
    shared.push(limiter);
    return limiter;
  }
}

/** 6,000 a minute; in a burst, ten times the sockets that an address may have. */
function handshakeRate({ handshakesPerAddress, socketsPerAddress }: Settings): Rate {
  if (handshakesPerAddress !== undefined) return { perMinute: handshakesPerAddress };
  return { perMinute: 6_000, burst: Math.max(6_000, 10 * socketsPerAddress) };
}
