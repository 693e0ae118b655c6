/**
 * The wire protocol: frames, codes, limits, and the declaration of messages.
 *
 * It has no dependencies and runs in any runtime.
 *
 * @module
 */
export { CloseCode } from "./close_codes.ts";
export { FrameError } from "./errors.ts";
export type { MessageFrame } from "./frames.ts";
export {
  type ClientInput,
  defineMessages,
  type GapData,
  type Messages,
  type ServerData,
  type Unchecked,
  unchecked,
} from "./messages.ts";
export { Refusal, type RefusalCode } from "./refusal.ts";
export type { Schema } from "./schema.ts";
