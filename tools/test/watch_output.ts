import { findSecrets, type FoundSecret } from "./secrets.ts";
import { wholeLines } from "./whole_lines.ts";

/**
 * Passes a stream on in whole lines, and adds possible secrets to `found`. A line may arrive in any
 * number of chunks.
 */
export async function watchOutput(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  pass: (lines: Uint8Array<ArrayBuffer>) => void | Promise<unknown>,
  found: FoundSecret[],
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const lines of stream.pipeThrough(wholeLines())) {
    await pass(lines);
    found.push(...findSecrets(decoder.decode(lines)));
  }
}
