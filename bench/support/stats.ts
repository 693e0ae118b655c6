/** Returns the `q` quantile (0 to 1) of numbers, by the nearest rank. */
export function quantile(numbers: readonly number[], q: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? NaN;
}

/** Returns the median of numbers. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** Returns a number with as many digits as are worth reading. */
export function round(value: number, digits = 3): string {
  return Number(value.toPrecision(digits)).toLocaleString("en");
}
