/**
 * Why a connection was refused. Stable: clients branch on it.
 *
 * @internal
 */
export type RefusalCode =
  | "DRAINING"
  | "ORIGIN_NOT_ALLOWED"
  | "NOT_SIGNED_IN"
  | "SESSION_EXPIRED"
  | "TICKET_INVALID"
  | "TOO_MANY_SOCKETS"
  | "NO_CONSUMER"
  | "FORBIDDEN"
  | "UPGRADE_REQUIRED"
  | "BAD_HANDSHAKE"
  | "BAD_HOST"
  | "BODY_INCOMPLETE"
  | "BODY_TIMEOUT"
  | "BODY_TOO_LARGE"
  | "UNAVAILABLE"
  | "INTERNAL";

const STATUS: Readonly<Record<RefusalCode, number>> = {
  DRAINING: 503,
  ORIGIN_NOT_ALLOWED: 403,
  NOT_SIGNED_IN: 401,
  SESSION_EXPIRED: 401,
  TICKET_INVALID: 401,
  TOO_MANY_SOCKETS: 429,
  NO_CONSUMER: 404,
  FORBIDDEN: 403,
  UPGRADE_REQUIRED: 426,
  BAD_HANDSHAKE: 400,
  BAD_HOST: 400,
  BODY_INCOMPLETE: 400,
  BODY_TIMEOUT: 408,
  BODY_TOO_LARGE: 413,
  UNAVAILABLE: 503,
  INTERNAL: 500,
};

/** When to retry after a refusal that passes by itself, in seconds. */
const RETRY_AFTER_SECONDS: Readonly<Partial<Record<RefusalCode, number>>> = {
  DRAINING: 1,
  UNAVAILABLE: 1,
};

const DETAIL: Readonly<Record<RefusalCode, string>> = {
  DRAINING: "The server is restarting",
  ORIGIN_NOT_ALLOWED: "Pages of this origin may not open sockets here",
  NOT_SIGNED_IN: "Sign in first",
  SESSION_EXPIRED: "The session has expired: sign in again",
  TICKET_INVALID: "The ticket is invalid: request a new one",
  TOO_MANY_SOCKETS: "Too many sockets are open",
  NO_CONSUMER: "Nothing is mounted at this path",
  FORBIDDEN: "You do not have access",
  UPGRADE_REQUIRED: "This URL accepts only WebSocket connections",
  BAD_HANDSHAKE: "The WebSocket handshake is invalid",
  BAD_HOST: "The Host header is invalid",
  BODY_INCOMPLETE: "The request body is incomplete",
  BODY_TIMEOUT: "The request body took too long to arrive",
  BODY_TOO_LARGE: "The request body is too large",
  UNAVAILABLE: "A required service is unavailable",
  INTERNAL: "Something went wrong on the server",
};

/**
 * The response to a refused connection: a status, a stable code and a sentence.
 *
 * A consumer or middleware returns or throws it; the request is then not upgraded.
 *
 * *Security*: `detail` is sent to the peer as it is.
 *
 * @example
 * ```ts
 * import { Refusal } from "@sluice/sluice";
 * import assert from "node:assert/strict";
 *
 * const refusal = new Refusal("FORBIDDEN", { detail: "This room is for members" });
 * assert.equal(refusal.status, 403);
 * const own = "ROOM_FULL"; // a code of the application
 * assert.equal(new Refusal(own, { status: 429, retryAfterSeconds: 30 }).code, own);
 * ```
 */
export class Refusal extends Error {
  /** Always `Refusal`. */
  override readonly name = "Refusal";
  /** The HTTP status. */
  readonly status: number;
  /** Why the connection was refused. */
  readonly code: string;
  /** A sentence for people. */
  readonly detail: string;
  /** How long a client should wait before it retries, in seconds. */
  readonly retryAfterSeconds: number | undefined;
  /**
   * An origin that is not allowed, but whose page may read this refusal.
   *
   * @internal
   */
  readonly readableBy: string | undefined;

  /** Creates a refusal; status and sentence follow from a known code. */
  constructor(
    code: RefusalCode | (string & Record<never, never>),
    options: {
      detail?: string | undefined;
      status?: number | undefined;
      retryAfterSeconds?: number | undefined;
      readableBy?: string | undefined;
      cause?: unknown;
    } = {},
  ) {
    const known = code as RefusalCode;
    const detail = options.detail ?? DETAIL[known] ?? "The connection was refused";
    super(detail, { cause: options.cause });
    this.status = options.status ?? STATUS[known] ?? 403;
    this.code = code;
    this.detail = detail;
    this.retryAfterSeconds = options.retryAfterSeconds ?? RETRY_AFTER_SECONDS[known];
    this.readableBy = options.readableBy;
  }

  /**
   * Returns the refusal of a code with its default status and sentence. The object is shared and
   * immutable, so that many refusals cost little.
   */
  static of(code: RefusalCode): Refusal {
    let known = usual.get(code);
    if (known === undefined) usual.set(code, known = Object.freeze(new Refusal(code)));
    return known;
  }
}

const usual = new Map<RefusalCode, Refusal>();
