/**
 * The wire protocol: frames, codes, limits, and the declaration of messages.
 *
 * It has no dependencies and runs in any runtime.
 *
 * @module
 */
export {
  CloseCode,
  isSendableCloseCode,
  type ReconnectAdvice,
  reconnectAdvice,
} from "./close_codes.ts";
export { findCookies, parseCookies } from "./cookies.ts";
export { FrameError, type FrameErrorCode, type Issue } from "./errors.ts";
export {
  type ClientFrame,
  encodeMessage,
  encodeRefusal,
  encodeReply,
  type ErrorFrame,
  type FrameErrorBody,
  type HistoryData,
  type HistoryMessage,
  type HistoryRequest,
  type MessageFrame,
  parseClientFrame,
  parsePing,
  parseServerFrame,
  type PingData,
  type PongData,
  type ReplyFrame,
  RESERVED_TYPES,
  type ServerFrame,
  type StreamData,
  type StreamMark,
} from "./frames.ts";
export {
  INVALID_WINDOW_MS,
  MAX_CLOSE_REASON_BYTES,
  MAX_ID_LENGTH,
  MAX_INVALID_FRAMES,
  MAX_KEY_LENGTH,
  MAX_TYPE_LENGTH,
  SUBPROTOCOL,
  TICKET_PREFIX,
} from "./limits.ts";
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
export {
  parseData,
  type Schema,
  type SchemaInput,
  type SchemaIssue,
  type SchemaOutput,
  type SchemaResult,
} from "./schema.ts";
