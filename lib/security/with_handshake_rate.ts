import { Refusal } from "../protocol/mod.ts";
import { guarded } from "../core/guards.ts";
import type { Application, Middleware, Scope } from "../core/scope.ts";
import { networkOf } from "./network_of.ts";
import type { AttemptLimiter } from "./rate_limiter.ts";

/**
 * Refuses addresses that connect too often, before anything is read: 429 `TOO_MANY_ATTEMPTS`, with
 * `Retry-After`. Accepted and refused requests both count.
 *
 * A {@linkcode RateLimiter} counts for this process, a {@linkcode SharedRateLimiter} for all processes.
 *
 * *Security*: the address is that of the peer or, behind a trusted proxy, that of the client. Behind an
 * untrusted proxy, all clients share one limit.
 */
export function withHandshakeRate<S extends Scope>(
  limiter: AttemptLimiter,
  next: Application<S>,
): Application<S> {
  const application: Application<S> = (scope) => {
    const retryAfterSeconds = limiter.take(networkOf(scope.address));
    if (retryAfterSeconds === undefined) return next(scope);
    return new Refusal("TOO_MANY_ATTEMPTS", {
      status: 429,
      detail: "Too many attempts: wait a moment",
      retryAfterSeconds,
    });
  };
  return guarded(application, next);
}

/**
 * The middleware of {@linkcode withHandshakeRate} for a `stack()`: refuses addresses that connect too
 * often with 429 `TOO_MANY_ATTEMPTS`.
 *
 * @example
 * ```ts
 * import { handshakeRate } from "@sluice/sluice";
 * import { RateLimiter } from "@sluice/sluice/security";
 *
 * const limited = handshakeRate(new RateLimiter({ perMinute: 600 }));
 * ```
 */
export function handshakeRate(limiter: AttemptLimiter): Middleware<Scope> {
  return (next) => withHandshakeRate(limiter, next);
}
