import { findSecrets, type FoundSecret } from "./secrets.ts";

/**
 * Hands everything on as it comes, and returns what looked like secrets in it at its end. A line may
 * come in any number of pieces.
 */
export async function watchOutput(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  pass: (chunk: Uint8Array<ArrayBuffer>) => void | Promise<unknown>,
): Promise<FoundSecret[]> {
  const decoder = new TextDecoder();
  const found: FoundSecret[] = [];
  let rest = "";
  for await (const chunk of stream) {
    await pass(chunk);
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    found.push(...findSecrets(lines.join("\n")));
  }
  return [...found, ...findSecrets(rest + decoder.decode())];
}
