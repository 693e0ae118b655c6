/** Formats a count with its noun: "1 session", "0 sessions". */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
