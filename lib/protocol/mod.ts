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
export { defineMessages, type Messages, type ServerData, unchecked } from "./messages.ts";
export { Refusal } from "./refusal.ts";
export type { Schema } from "./schema.ts";
