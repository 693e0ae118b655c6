import { FrameError, type Issue } from "./errors.ts";
import { MAX_ID_LENGTH, MAX_KEY_LENGTH, MAX_TYPE_LENGTH } from "./limits.ts";

/** A frame from a client: a message, with an `id` if it expects a reply. */
export interface ClientFrame {
  /** Selects the handler. */
  readonly type: string;
  /** *Security*: not checked yet. */
  readonly data: unknown;
  /** Set by the client if it expects a reply. */
  readonly id: string | undefined;
  /** Makes the command take effect once, however often it is sent. */
  readonly key?: string | undefined;
}

/** The body of a refusal. */
export interface FrameErrorBody {
  readonly code: FrameError["code"];
  readonly message: string;
  readonly issues?: readonly Issue[] | undefined;
}

/** A message from the server. */
export interface MessageFrame {
  /** The type of the message. */
  readonly type: string;
  /** The data of the message. */
  readonly data: unknown;
  /** The consumer's name of the stream that the message belongs to, if any. */
  readonly stream?: string;
  /** Position in the stream. */
  readonly offset?: number;
  /** Identifies the history that `offset` belongs to. */
  readonly epoch?: string;
}

/** A position in a stream, between two messages. */
export interface StreamPosition {
  /** Identifies the history: it changes if the history was lost or cleared. */
  readonly epoch: string;
  /** The offset of the last message before the position; 0 at the beginning. */
  readonly offset: number;
}

/**
 * The place of a message in a stream, as frames carry it.
 *
 * @internal
 */
export interface StreamMark {
  /** The consumer's name of the stream. */
  readonly stream: string;
  /** Identifies the history: it changes if the history was lost or cleared. */
  readonly epoch: string;
  /** Position in the stream: 1 for the first message, then one more for each. */
  readonly offset: number;
}

/** The data of a `stream` frame, which the server sends on entry: the extent of a stream. */
export interface StreamData extends StreamMark {
  /** The offset of the oldest kept message; `offset + 1` if none is kept. */
  readonly first: number;
}

/** The data of a `history` frame, with which a client asks for messages of a stream. */
export interface HistoryRequest {
  /** The name that the consumer gives the stream. */
  readonly stream: string;
  /** The epoch that `after` or `before` belongs to. */
  readonly epoch?: string | undefined;
  /** Asks for the messages with a greater offset, from the oldest on. */
  readonly after?: number | undefined;
  /** Asks for the messages with a smaller offset, the newest of them. */
  readonly before?: number | undefined;
  /** Maximum number of messages, 1 to 500. @default {100} */
  readonly limit?: number | undefined;
}

/** The data of the reply to a `history` frame. */
export interface HistoryData {
  /** Identifies the history; a new one if it was lost or cleared. */
  readonly epoch: string;
  /** The oldest position that is kept. */
  readonly first: number;
  /** The newest position. */
  readonly offset: number;
  /** False if the epoch differs (unless the messages up to `after` are the same), or messages after `after` are no longer kept. */
  readonly recovered: boolean;
  /** Oldest first. */
  readonly messages: readonly HistoryMessage[];
  /** Whether more messages follow: newer ones with `after`, otherwise older ones. */
  readonly more: boolean;
}

/** A message of a {@linkcode HistoryData}. */
export interface HistoryMessage {
  /** The type of the message. */
  readonly type: string;
  /** The data of the message. */
  readonly data?: unknown;
  /** The newest position. */
  readonly offset: number;
}

/** The reply to a client frame with an `id`. */
export type ReplyFrame =
  | { readonly type: "reply"; readonly id: string; readonly ok: true; readonly data?: unknown }
  | {
    readonly type: "reply";
    readonly id: string;
    readonly ok: false;
    readonly error: FrameErrorBody;
  };

/** The refusal of a client frame without an `id`. */
export interface ErrorFrame {
  readonly type: "error";
  readonly error: FrameErrorBody;
}

/** Any frame from the server. */
export type ServerFrame = MessageFrame | ReplyFrame | ErrorFrame;

/** Types reserved by the protocol; consumers cannot declare them. */
export const RESERVED_TYPES: readonly string[] = ["reply", "error", "ping", "stream", "history"];

const KEY = /^[A-Za-z0-9_-]{1,64}$/;

/** Longest keep-alive frame that is answered at once, in UTF-16 code units. */
const MAX_PING_LENGTH = 512;

/** The `data` of a `ping` that asks for the user of the connection. */
export interface PingData {
  readonly ask?: "user";
}

/** The `data` of the reply to a `ping` with `ask: "user"`. */
export interface PongData {
  /** The id of the user, or `null` without a user. */
  readonly user: string | null;
}

/**
 * Parses one frame from a client.
 *
 * @throws {FrameError} `INVALID_JSON` if it is not JSON, `INVALID_MESSAGE` if it is not a frame.
 *
 * *Security*: for any `text`, it throws nothing but a `FrameError`. The frame's `data` is not checked
 * and stays `unknown` until the consumer's schema has parsed it.
 */
export function parseClientFrame(text: string): ClientFrame {
  const { type, id, data, key } = parseObject<keyof ClientFrame>(text);
  if (id !== undefined && !isName(id, MAX_ID_LENGTH)) {
    throw invalid("id", `Expected a string of 1 to ${MAX_ID_LENGTH} characters`);
  }
  if (!isName(type, MAX_TYPE_LENGTH)) {
    throw invalid("type", `Expected a string of 1 to ${MAX_TYPE_LENGTH} characters`, id);
  }
  if (key === undefined) return { type, data, id };
  if (typeof key === "string" && KEY.test(key)) return { type, data, id, key };
  throw invalid("key", `Expected 1 to ${MAX_KEY_LENGTH} letters, digits, "-" or "_"`, id);
}

/** Parses a message that holds exactly one `ping`; `undefined` for any other. Never throws. */
export function parsePing(text: string): ClientFrame | undefined {
  if (text.length > MAX_PING_LENGTH || !text.includes('"ping"')) return undefined;
  try {
    const frame = parseClientFrame(text);
    return frame.type === "ping" ? frame : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Parses one frame from a server, for clients. A server is trusted to send complete frames.
 *
 * @throws {SyntaxError | TypeError} It is not a frame.
 */
export function parseServerFrame(text: string): ServerFrame {
  const frame = JSON.parse(text);
  if (typeof frame.type !== "string") throw new TypeError(`Not a frame: ${text}`);
  return frame;
}

/** Encodes a message for a client; with `mark`, one of a stream. */
export function encodeMessage(type: string, data: unknown, mark?: StreamMark): string {
  if (mark === undefined) return JSON.stringify({ type, data });
  const { stream, epoch, offset } = mark;
  return JSON.stringify({ type, data, stream, epoch, offset });
}

/** Encodes the reply to the frame `id`. */
export function encodeReply(id: string, data: unknown): string {
  return JSON.stringify({ type: "reply", id, ok: true, data });
}

/** Encodes the refusal of a frame: a reply if it had an `id`, otherwise an error. */
export function encodeRefusal(error: FrameErrorBody, id: string | undefined): string {
  const body = { code: error.code, message: error.message, issues: error.issues };
  return id === undefined
    ? JSON.stringify({ type: "error", error: body })
    : JSON.stringify({ type: "reply", id, ok: false, error: body });
}

function parseObject<K extends string>(text: string): Partial<Record<K, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FrameError("INVALID_JSON", "The message is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("", "Expected an object");
  }
  return value as Partial<Record<K, unknown>>;
}

function isName(value: unknown, maxLength: number): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= maxLength;
}

function invalid(path: string, message: string, id?: string | undefined): FrameError {
  return new FrameError("INVALID_MESSAGE", "The message is not a frame", {
    issues: [{ path, message }],
    id,
  });
}
