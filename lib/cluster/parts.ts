import { Buffer } from "node:buffer";

/** Limits for the size of a part. */
export interface PartLimits {
  /** Approximate size in bytes of JSON; a single change may exceed it. */
  readonly bytes: number;
  /** @default {Infinity} */
  readonly changes?: number;
}

/** Divides changes into parts lazily. Yields at least one part. */
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

/** Returns whether a layer refused a message because of its content, so that a retry cannot succeed. */
export function isContentRefused(error: unknown): boolean {
  return error instanceof TypeError ||
    (error instanceof Error && "code" in error && error.code === "MESSAGE_TOO_LARGE");
}
