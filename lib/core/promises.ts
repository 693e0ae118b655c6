/** Returns whether a value is a promise. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === "object" && value !== null && "then" in value;
}

/**
 * Continues with a value or a promise: synchronously for a value, so that it costs no promise.
 *
 * @throws {Error} Any error that `next` throws synchronously for a value.
 */
export function andThen<T, U>(
  value: T | Promise<T>,
  next: (value: T) => U | Promise<U>,
): U | Promise<U> {
  return isPromise(value) ? value.then(next) : next(value);
}
