/** Returns the version of the n-th write: a string that sorts as the number. */
export function versionOf(n: number | bigint | string): string {
  return String(n).padStart(20, "0");
}
