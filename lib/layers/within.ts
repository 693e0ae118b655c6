import type { Clock } from "../scope.ts";

/** Settles as `work` does, or rejects with the error of `late` after `ms` milliseconds. */
export async function within<T>(
  work: Promise<T>,
  limit: { readonly clock: Clock; readonly ms: number; late(): Error },
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const cancel = limit.clock.after(limit.ms, () => reject(limit.late()));
  try {
    return await Promise.race([work, promise]);
  } finally {
    cancel();
  }
}
