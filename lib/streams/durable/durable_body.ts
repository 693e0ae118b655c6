import { Buffer } from "node:buffer";
import type { DurablePart } from "./durable_log.ts";
import { mediaType } from "./durable_request.ts";

const COMMA = new Uint8Array([0x2c]);
const [OPEN, CLOSE] = [new Uint8Array([0x5b]), new Uint8Array([0x5d])];

/** Whether events carry the text of a stream as it is. */
export function isText(contentType: string): boolean {
  const type = mediaType(contentType);
  return type.startsWith("text/") || type === "application/json";
}

/** Returns the body of a read: the bytes, or a JSON array of the messages. */
export function encodeBody(contentType: string, parts: readonly DurablePart[]): Uint8Array {
  if (mediaType(contentType) !== "application/json") {
    return Buffer.concat(parts.map(({ bytes }) => bytes));
  }
  const pieces = parts.flatMap(({ bytes }, index) => {
    const begins = index > 0 && !parts[index - 1]!.goesOn;
    return begins ? [COMMA, bytes] : [bytes];
  });
  return Buffer.concat([OPEN, ...pieces, CLOSE]);
}

/** Returns the event with the data of a read. */
export function encodeEvent(contentType: string, body: Uint8Array): string {
  const text = Buffer.from(body).toString(isText(contentType) ? "utf8" : "base64");
  // No line of the data may look like another field of the event.
  const lines = text.split(/\r\n|\r|\n/).map(fieldOf);
  return `event: data\n${lines.join("")}\n`;
}

/** A reader of events drops one space after the colon. */
function fieldOf(line: string): string {
  return `data:${line.startsWith(" ") ? " " : ""}${line}\n`;
}
