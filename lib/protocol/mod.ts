/**
 * The wire protocol: frames, codes, limits, and the declaration of messages.
 *
 * It has no dependencies and runs in any runtime.
 *
 * @module
 */
export { CloseCode, type ReconnectAdvice, reconnectAdvice } from "./close_codes.ts";
export { FrameError, type FrameErrorCode, type Issue } from "./errors.ts";
export type {
  ClientFrame,
  HistoryData,
  HistoryMessage,
  HistoryRequest,
  MessageFrame,
  StreamData,
  StreamMark,
} from "./frames.ts";
export { MAX_KEY_LENGTH } from "./limits.ts";
export {
  type ClientData,
  type ClientInput,
  type ClientMessage,
  type ClientType,
  defineMessages,
  type GapData,
  type LayerData,
  type LayerType,
  type Messages,
  type ReplyData,
  type ServerData,
  type ServerType,
  type Unchecked,
  unchecked,
} from "./messages.ts";
export { Refusal, type RefusalCode } from "./refusal.ts";
export type { Schema, SchemaResult } from "./schema.ts";
export type { MessageData } from "./messages.ts";
