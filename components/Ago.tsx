/** Properties of {@linkcode Ago}. */
export interface AgoProps {
  readonly at: string;
  /** The server's clock, in milliseconds since the epoch. */
  readonly now: number;
}

/** A moment, said so that it is right in every time zone. */
export function Ago({ at, now }: AgoProps) {
  return (
    <time datetime={at} title={`${at.slice(0, 16).replace("T", " ")} UTC`}>{ago(at, now)}</time>
  );
}

const UNITS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]] as const;

function ago(at: string, now: number): string {
  const passed = now - Date.parse(at);
  for (const [unit, ms] of UNITS) {
    const count = Math.floor(passed / ms);
    if (count > 0) return `${count} ${unit}${count > 1 ? "s" : ""} ago`;
  }
  return "just now";
}
