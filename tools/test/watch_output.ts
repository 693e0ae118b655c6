import { findSecrets, type FoundSecret } from "./secrets.ts";
import { wholeLines } from "./whole_lines.ts";

/**
 * Hands everything on in whole lines, and returns what looked like secrets in it at its end. A line may
 * come in any number of pieces.
 */
export async function watchOutput(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  pass: (lines: Uint8Array<ArrayBuffer>) => void | Promise<unknown>,
): Promise<FoundSecret[]> {
  const decoder = new TextDecoder();
  const found: FoundSecret[] = [];
  for await (const lines of stream.pipeThrough(wholeLines())) {
    await pass(lines);
    found.push(...findSecrets(decoder.decode(lines)));
  }
  return found;
}
