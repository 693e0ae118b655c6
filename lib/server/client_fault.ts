import { CloseCode } from "../protocol/mod.ts";

const CLIENT_FAULTS: ReadonlySet<number> = new Set([
  CloseCode.unsupportedData,
  CloseCode.messageTooLarge,
  CloseCode.tooManyInvalid,
  CloseCode.tooFast,
]);

/** Returns whether a client brings about this close by what it sends: more is likely to arrive. */
export function isClientFault(code: number): boolean {
  return CLIENT_FAULTS.has(code);
}
