import { FrameError, type FrameErrorCode, type Issue } from "./errors.ts";
import { MAX_ID_LENGTH, MAX_TYPE_LENGTH } from "./limits.ts";

/** A frame from a client: a message, with an `id` if it expects a reply. */
export interface ClientFrame {
  readonly type: string;
  readonly data: unknown;
  readonly id: string | undefined;
}

/** The body of a refusal. */
export interface FrameErrorBody {
  readonly code: FrameErrorCode;
  readonly message: string;
  readonly issues?: readonly Issue[] | undefined;
}

/** A message from the server. */
export interface MessageFrame {
  readonly type: string;
  readonly data: unknown;
  /** Position in the group's history, if it keeps one. */
  readonly offset?: number;
  /** Identifies the history that `offset` belongs to. */
  readonly epoch?: string;
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
export const RESERVED_TYPES: readonly string[] = ["reply", "error", "ping"];

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
  const { type, id, data } = parseObject<keyof ClientFrame>(text);
  if (id !== undefined && !isName(id, MAX_ID_LENGTH)) {
    throw invalid("id", `Expected a string of 1 to ${MAX_ID_LENGTH} characters`);
  }
  if (!isName(type, MAX_TYPE_LENGTH)) {
    throw invalid("type", `Expected a string of 1 to ${MAX_TYPE_LENGTH} characters`, id);
  }
  return { type, data, id };
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
 * Parses one frame from a server, for clients.
 *
 * @throws {FrameError} `INVALID_JSON` or `INVALID_MESSAGE`.
 */
export function parseServerFrame(text: string): ServerFrame {
  const frame = parseObject<"type" | "id" | "ok" | "error">(text);
  if (typeof frame.type !== "string") throw invalid("type", "Expected a string");
  if (frame.type === "reply" && typeof frame.id !== "string") {
    throw invalid("id", "Expected a string");
  }
  if (frame.type === "error" || (frame.type === "reply" && frame.ok !== true)) {
    const error = frame.error;
    if (typeof error !== "object" || error === null || !("code" in error)) {
      throw invalid("error", "Expected an object with a code");
    }
  }
  return frame as unknown as ServerFrame;
}

/** Encodes a message for a client. */
export function encodeMessage(type: string, data: unknown): string {
  return JSON.stringify({ type, data });
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
