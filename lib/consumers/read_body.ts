import { Refusal } from "../protocol/mod.ts";
import { type Scope, StopConsumer } from "../scope.ts";

/**
 * Reads the whole body of a request, of at most `maxBytes` bytes.
 *
 * @throws {Refusal} 413 `BODY_TOO_LARGE`: it is larger. No more than `maxBytes` and one chunk are
 * ever held.
 * @throws {StopConsumer} The client went away before its end.
 */
export async function readBody(scope: Scope, maxBytes: number): Promise<Uint8Array> {
  if (scope.body === undefined) return new Uint8Array();
  if (Number(scope.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of scope.body) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof Refusal ? error : new StopConsumer("The client went away");
  }
  return join(chunks, size);
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal("BODY_TOO_LARGE", {
    status: 413,
    detail: `A body of at most ${maxBytes} bytes is taken`,
  });
}
