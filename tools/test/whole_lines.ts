import { Buffer } from "node:buffer";

const NEWLINE = 10;

/** Buffers text until its line is complete, because several runs share a terminal. */
export function wholeLines(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let rest: Uint8Array<ArrayBuffer> = new Uint8Array();
  return new TransformStream({
    transform(chunk, controller) {
      const text = Buffer.concat([rest, chunk]);
      const end = text.lastIndexOf(NEWLINE) + 1;
      if (end > 0) controller.enqueue(text.subarray(0, end));
      rest = text.subarray(end);
    },
    flush(controller) {
      if (rest.length > 0) controller.enqueue(rest);
    },
  });
}
