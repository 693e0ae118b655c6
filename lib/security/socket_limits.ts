import { andThen } from "../promises.ts";
import { Refusal } from "../protocol/mod.ts";
import { guarded } from "../guards.ts";
import type { Application, Middleware, Scope } from "../scope.ts";
import { networkOf } from "./network_of.ts";
import { LocalSocketCounter, type SocketCounter } from "./socket_counter.ts";

/** A scope that knows who somebody is. */
export interface IdentifiedScope extends Scope {
  readonly user: { readonly id: string };
}

/** How many sockets may be open at once. */
export interface SocketLimits {
  /** Open sockets of one person, over all sessions. @default {20} */
  readonly perUser?: number;
  /** Open sockets of one address; of IPv6, of the 64 bits that one customer has. @default {200} */
  readonly perAddress?: number;
  /** What counts them: a `SharedSocketCounter` for all processes. @default {those of this process} */
  readonly counter?: SocketCounter;
}

/** When somebody with too many sockets may try again, in seconds. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Refuses connections over the limits: 429 `TOO_MANY_SOCKETS`. Counts those of this process, unless
 * a counter for several is handed in.
 *
 * A connection counts from here on until its end, whether or not it is let in further on.
 */
export function withSocketLimits<S extends IdentifiedScope>(
  limits: SocketLimits,
  next: Application<S>,
): Application<S> {
  const { perUser = 20, perAddress = 200, counter = new LocalSocketCounter() } = limits;
  const refusal = new Refusal("TOO_MANY_SOCKETS", { retryAfterSeconds: RETRY_AFTER_SECONDS });
  const application: Application<S> = (scope) => {
    const count = (key: string, limit: number) =>
      andThen(counter.take(key, limit), (release) => {
        if (release !== undefined) scope.connection.onEnd(release);
        return release !== undefined;
      });
    const isUserWithin = count(`user ${scope.user.id}`, perUser);
    const isWithin = andThen(
      isUserWithin,
      (isWithin) => isWithin && count(`address ${networkOf(scope.address)}`, perAddress),
    );
    return andThen(isWithin, (isWithin) => isWithin ? next(scope) : refusal);
  };
  return guarded(application, next);
}

/**
 * The middleware of {@linkcode withSocketLimits} for a `stack()`: refuses connections over the limits
 * with 429 `TOO_MANY_SOCKETS`.
 *
 * @example
 * ```ts
 * import { socketLimits } from "@sluice/sluice/security";
 *
 * const limited = socketLimits({ perUser: 5, perAddress: 50 });
 * ```
 */
export function socketLimits(limits: SocketLimits = {}): Middleware<IdentifiedScope> {
  return (next) => withSocketLimits(limits, next);
}
