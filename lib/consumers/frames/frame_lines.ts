import type { Connection } from "../../core/connection.ts";
import { parsePing } from "../../protocol/frames.ts";

/**
 * Receives a message with one frame per line, one after the other. The message pays for its first
 * frame; each further one counts toward the rate limit, or the limit of keep-alives.
 */
export async function receiveLines(
  text: string,
  connection: Connection,
  { receive, limit }: {
    readonly receive: (frame: string) => void | Promise<void>;
    /** Refuses a frame over the rate limit. */
    readonly limit: (frame: string) => void;
  },
): Promise<void> {
  let isPaid = true;
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    if (connection.phase === "ended") return;
    isPaid ||= parsePing(line) !== undefined && connection.takePing();
    if (isPaid || connection.takeMessage()) await receive(line);
    else limit(line);
    isPaid = false;
  }
}
