import { findSecrets, type FoundSecret } from "./secrets.ts";
import { wholeLines } from "./whole_lines.ts";

/**
 * Passes everything on in whole lines, and adds what looks like a secret in it to `found`. A line may
 * come in any number of pieces.
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
