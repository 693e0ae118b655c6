import { Buffer } from "node:buffer";

/** How large a part may be. */
export interface PartLimits {
  /** About so many bytes of JSON; a single change may have more. */
  readonly bytes: number;
  /** @default {Infinity} */
  readonly changes?: number;
}

/** Divides changes into parts, each when it is asked for. There is at least one. */
export function* inParts<C>(changes: Iterable<C>, limits: PartLimits): Generator<C[]> {
  const { changes: maxChanges = Infinity } = limits;
  let part: C[] = [];
  let size = 0;
  for (const change of changes) {
    const bytes = Buffer.byteLength(JSON.stringify(change));
    const isFull = size + bytes > limits.bytes || part.length >= maxChanges;
    if (isFull && part.length > 0) {
      yield part;
      part = [];
      size = 0;
    }
    size += bytes;
    part.push(change);
  }
  yield part;
}

/** Whether a layer refused a message for what it contains: to send it again is in vain. */
export function isContentRefused(error: unknown): boolean {
  return error instanceof TypeError ||
    (error instanceof Error && "code" in error && error.code === "MESSAGE_TOO_LARGE");
}
