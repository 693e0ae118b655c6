import { Refusal } from "../protocol/mod.ts";
import type { Application, Scope } from "../scope.ts";

/** A scope that knows who somebody is. */
export interface IdentifiedScope extends Scope {
  readonly user: { readonly id: string };
}

/** How many sockets may be open at once. */
export interface SocketLimits {
  /** Open sockets of one person, over all sessions. @default {20} */
  readonly perUser?: number;
  /** Open sockets of one address. @default {200} */
  readonly perAddress?: number;
}

/** When somebody with too many sockets may try again, in seconds. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Refuses connections over the limits: 429 `TOO_MANY_SOCKETS`. Counts those of this process.
 *
 * A connection counts from here on until its end, whether or not it is let in further on.
 */
export function withSocketLimits<S extends IdentifiedScope>(
  limits: SocketLimits,
  next: Application<S>,
): Application<S> {
  const users = new Counter(limits.perUser ?? 20);
  const addresses = new Counter(limits.perAddress ?? 200);
  return (scope) => {
    const isTaken = users.take(scope.user.id, scope) && addresses.take(scope.address, scope);
    if (isTaken) return next(scope);
    return new Refusal("TOO_MANY_SOCKETS", { retryAfterSeconds: RETRY_AFTER_SECONDS });
  };
}

class Counter {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  take(key: string, scope: Scope): boolean {
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.#limit) return false;
    this.#counts.set(key, count + 1);
    scope.connection.onEnd(() => this.#release(key));
    return true;
  }

  #release(key: string): void {
    const count = this.#counts.get(key) ?? 1;
    if (count <= 1) this.#counts.delete(key);
    else this.#counts.set(key, count - 1);
  }
}
