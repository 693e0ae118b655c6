/** Returns the `q` quantile (0 to 1) of numbers by the nearest rank; `NaN` without numbers. */
export function quantile(numbers: readonly number[], q: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.min(sorted.length, Math.ceil(q * sorted.length)) - 1)] ?? NaN;
}

/** Returns the median of numbers; for an even count, the mean of the middle two. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median and range of numbers. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Returns the median and range of numbers. */
export function spread(numbers: readonly number[]): Spread {
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) };
}

/**
 * Returns the ratios of numbers to those of a baseline, round by round: a disturbance of a round
 * affects both, and cancels out. Rounds that one of them lacks are left out.
 */
export function ratios(numbers: readonly number[], baseline: readonly number[]): number[] {
  const rounds = Math.min(numbers.length, baseline.length);
  return numbers.slice(0, rounds).map((value, round) => value / baseline[round]!);
}

/** Formats a number with its significant digits. */
export function round(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return "–";
  return Number(value.toPrecision(digits)).toLocaleString("en", { maximumFractionDigits: 6 });
}
