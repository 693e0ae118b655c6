import { andThen } from "../core/promises.ts";
import { Refusal } from "../protocol/mod.ts";
import { type Application, guarded, type Middleware, type Scope } from "../core/scope.ts";
import { networkOf } from "../core/request_values.ts";

type IdentifiedScope = Scope & {
  readonly user: { readonly id: string };
  readonly session?: { readonly id: string } | undefined;
};

/** Time after which a user with too many sockets may try again, in seconds. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Refuses connections over the limits: 429 `TOO_MANY_SOCKETS`. Counts the sockets of this process unless
 * a shared counter is passed.
 *
 * A connection counts from this point until it ends, even if a later middleware refuses it.
 */
export function withSocketLimits<S extends IdentifiedScope>(
  limits: NonNullable<Parameters<typeof socketLimits>[0]>,
  next: Application<S>,
): Application<S> {
  const { perUser = 20, perSession, perAddress = 200, counter = new LocalSocketCounter() } = limits;
  const refusal = new Refusal("TOO_MANY_SOCKETS", { retryAfterSeconds: RETRY_AFTER_SECONDS });
  const application: Application<S> = (scope) => {
    // Counted apart: a client at its limit must be able to post to its event stream.
    const kind = isEventPost(scope) ? "post " : "";
    const count = (key: string, limit: number) =>
      andThen(counter.take(kind + key, limit), (release) => {
        if (release !== undefined) scope.connection.onEnd(release);
        return release !== undefined;
      });
    const { user, session } = scope;
    const isUserWithin = count(`user ${user.id}`, perUser);
    const isSessionWithin = perSession === undefined || session === undefined
      ? isUserWithin
      : andThen(isUserWithin, (isWithin) => isWithin && count(`session ${session.id}`, perSession));
    const isWithin = andThen(
      isSessionWithin,
      (isWithin) => isWithin && count(`address ${networkOf(scope.address)}`, perAddress),
    );
    return andThen(isWithin, (isWithin) => isWithin ? next(scope) : refusal);
  };
  return guarded(application, next);
}

/** Whether a plain request has messages for an event stream: it opens nothing. */
function isEventPost({ type, method, headers }: Scope): boolean {
  if (type !== "http" || method !== "POST") return false;
  return /^text\/plain(?:;|$)/i.test(headers.get("content-type") ?? "");
}

/**
 * The middleware of {@linkcode withSocketLimits} for a `stack()`: refuses connections over the limits
 * with 429 `TOO_MANY_SOCKETS`.
 *
 * @example
 * ```ts
 * import { socketLimits } from "@sluice/sluice";
 *
 * const limited = socketLimits({ perUser: 5, perAddress: 50 });
 * ```
 */
export function socketLimits(limits: {
  /** Open sockets of one user, over all sessions. @default {20} */
  readonly perUser?: number;
  /** Open sockets of one session. @default {no limit but that of the user} */
  readonly perSession?: number;
  /** Open sockets of one address; for IPv6, of one /64 network. @default {200} */
  readonly perAddress?: number;
  /** The counter; a `SharedSocketCounter` counts over all processes. @default {for this process alone} */
  readonly counter?: SocketCounter | undefined;
} = {}): Middleware<
  Scope & { readonly user: { readonly id: string } }
> {
  return (next) => withSocketLimits(limits, next);
}

/**
 * Counts open sockets by key: {@linkcode LocalSocketCounter} those of this process,
 * {@linkcode SharedSocketCounter} those of all processes.
 *
 * @internal
 */
export interface SocketCounter {
  /**
   * Counts one more socket and returns a function that undoes it. Returns undefined and counts nothing if
   * there are `limit` already. Concurrent calls do not exceed the limit.
   */
  take(
    key: string,
    limit: number,
  ): (() => void) | undefined | Promise<(() => void) | undefined>;
}

/**
 * Counts the open sockets of this process.
 *
 * @internal
 */
export class LocalSocketCounter implements SocketCounter {
  readonly #counts = new Map<string, number>();
  readonly #changed: ((key: string) => void) | undefined;

  /**
   * Creates a counter without sockets.
   *
   * @param changed Called when a count changes.
   */
  constructor(changed?: (key: string) => void) {
    this.#changed = changed;
  }

  take(key: string, limit: number): (() => void) | undefined {
    const count = this.count(key);
    if (count >= limit) return undefined;
    this.#set(key, count + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#set(key, this.count(key) - 1);
      isTaken = false;
    };
  }

  /** The number of sockets of a key. */
  count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** The keys with open sockets, and their counts. */
  entries(): IterableIterator<[key: string, count: number]> {
    return this.#counts.entries();
  }

  #set(key: string, count: number): void {
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
    this.#changed?.(key);
  }
}
