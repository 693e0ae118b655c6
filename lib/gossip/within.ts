import type { Clock } from "../scope.ts";

/** Settles as `work` does, or rejects after `ms` milliseconds; a later result is ignored. */
export async function within<T>(
  work: Promise<T>,
  { clock, ms }: { readonly clock: Clock; readonly ms: number },
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = () => reject(new Error(`The channel layer did not answer within ${ms} ms`));
  const cancel = clock.after(ms, late);
  try {
    return await Promise.race([work, promise]);
  } finally {
    cancel();
  }
}
