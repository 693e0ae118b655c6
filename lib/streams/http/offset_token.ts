import type { StreamPosition } from "../stream_store.ts";

/** Digits of an offset in a token, so that tokens of an epoch sort like their offsets. */
const DIGITS = 16;

const TOKEN = /^([A-Za-z0-9_-]{1,64})_(\d{16})$/;

/** Returns the token of a position: what `Stream-Next-Offset` carries. */
export function encodeToken({ epoch, offset }: StreamPosition): string {
  return `${epoch}_${String(offset).padStart(DIGITS, "0")}`;
}

/** Returns the position of a token; undefined if it is not one. */
export function decodeToken(token: string): StreamPosition | undefined {
  const [, epoch, digits] = TOKEN.exec(token) ?? [];
  const offset = Number(digits);
  return epoch === undefined || !Number.isSafeInteger(offset) ? undefined : { epoch, offset };
}
