/** Properties of {@linkcode Ago}. */
export interface AgoProps {
  readonly at: string;
  /** The server's clock, in milliseconds since the epoch. */
  readonly now: number;
  /** Text for less than a minute. @default {"just now"} */
  readonly justNow?: string;
}

/** A time in the past, in words that are correct in every time zone. */
export function Ago({ at, now, justNow = "just now" }: AgoProps) {
  const title = `${at.slice(0, 16).replace("T", " ")} UTC`;
  return <time datetime={at} title={title}>{ago(at, now) ?? justNow}</time>;
}

const UNITS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]] as const;

function ago(at: string, now: number): string | undefined {
  const passed = now - Date.parse(at);
  for (const [unit, ms] of UNITS) {
    const count = Math.floor(passed / ms);
    if (count > 0) return `${count} ${unit}${count > 1 ? "s" : ""} ago`;
  }
  return undefined;
}
