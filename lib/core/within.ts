import type { Clock } from "./clock.ts";

/**
 * Settles as `work` does, or rejects with the error of `late` after `ms` milliseconds. A later result is
 * ignored.
 */
export async function within<T>(
  work: Promise<T>,
  limit: { readonly clock: Clock; readonly ms: number; readonly late?: (ms: number) => Error },
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const cancel = limit.clock.after(limit.ms, () => reject((limit.late ?? noAnswer)(limit.ms)));
  try {
    return await Promise.race([work, promise]);
  } finally {
    cancel();
  }
}

/** Resolves after `ms` milliseconds by the clock. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

function noAnswer(ms: number): Error {
  return new Error(`The channel layer did not answer within ${ms} ms`);
}
