import { Buffer } from "node:buffer";

/** Returns `text` with one character changed at `index`. */
export function tampered(text: string, index: number): string {
  const other = text[index] === "A" ? "B" : "A";
  return text.slice(0, index) + other + text.slice(index + 1);
}

/** Base64url of `size` bytes of one value. */
export function filler(size: number, byte = 0): string {
  return Buffer.alloc(size, byte).toString("base64url");
}

/**
 * Characters other than SP and HTAB that are valid in a header and that `String.trim()` or `\s`
 * treat as white space.
 */
export const OTHER_BLANKS: readonly string[] = [
  ..."\u0001\u000b\u000c\u001f\u007f\u0080\u0085\u009f\u00a0\u00ad",
];
