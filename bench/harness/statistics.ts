/** Returns the `q` quantile (0 to 1) of numbers, by the nearest rank; `NaN` of none. */
export function quantile(numbers: readonly number[], q: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.min(sorted.length, Math.ceil(q * sorted.length)) - 1)] ?? NaN;
}

/** Returns the median of numbers: of an even count the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median of numbers, and how far they reach. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Returns the median of numbers and their range. */
export function spread(numbers: readonly number[]): Spread {
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) };
}

/**
 * Returns what the numbers are to those of a baseline, round by round: what disturbed a round
 * disturbed both, and cancels out. Rounds that one of them lacks are left out.
 */
export function ratios(numbers: readonly number[], baseline: readonly number[]): number[] {
  const rounds = Math.min(numbers.length, baseline.length);
  return numbers.slice(0, rounds).map((value, round) => value / baseline[round]!);
}

/** Returns a number with as many digits as are worth reading. */
export function round(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return "–";
  return Number(value.toPrecision(digits)).toLocaleString("en", { maximumFractionDigits: 6 });
}
