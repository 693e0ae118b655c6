import { test } from "node:test";
import assert from "node:assert/strict";
import { wholeLines } from "../../../tools/test/whole_lines.ts";

async function passed(...chunks: string[]): Promise<string[]> {
  const bytes = ReadableStream.from(chunks.map((text) => new TextEncoder().encode(text)));
  const lines = bytes.pipeThrough(wholeLines()).pipeThrough(new TextDecoderStream());
  return await Array.fromAsync(lines);
}

test("wholeLines() passes all output on in whole lines", async () => {
  assert.deepEqual(await passed("a\n", "b", "c\nd\ne", "f\n"), ["a\n", "bc\nd\n", "ef\n"]);
  assert.deepEqual(await passed("no end"), ["no end"]);
  assert.deepEqual(await passed("é\n", "\n"), ["é\n", "\n"]);
  assert.deepEqual(await passed(), []);
});
