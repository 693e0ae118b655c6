/** Returns whether a value has not settled yet. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === "object" && value !== null && "then" in value;
}

/**
 * Goes on with a value: in the same turn where it is there, so that what need not be waited for costs
 * no promise.
 *
 * @throws {Error} What `next` throws, in the same turn, where the value is there.
 */
export function andThen<T, U>(
  value: T | Promise<T>,
  next: (value: T) => U | Promise<U>,
): U | Promise<U> {
  return isPromise(value) ? value.then(next) : next(value);
}
