/** Says how many there are of something: `no`, `1`, or more. */
export function counted(count: number, thing: string): string {
  return count === 1 ? `1 ${thing}` : `${count === 0 ? "no" : count} ${thing}s`;
}
