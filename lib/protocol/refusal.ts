/** Why a connection was not let in. Stable: clients branch on it. */
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

const DETAIL: Readonly<Record<RefusalCode, string>> = {
  DRAINING: "The server is restarting",
  ORIGIN_NOT_ALLOWED: "Pages of this origin may not open sockets here",
  NOT_SIGNED_IN: "Sign in first",
  SESSION_EXPIRED: "The session has expired: sign in again",
  TICKET_INVALID: "The ticket is not valid: ask for a new one",
  TOO_MANY_SOCKETS: "Too many sockets are open",
  NO_CONSUMER: "Nothing is mounted at this path",
  FORBIDDEN: "You may not enter here",
  UPGRADE_REQUIRED: "This address takes WebSocket connections",
  BAD_HANDSHAKE: "The WebSocket handshake is not valid",
  BAD_HOST: "The Host header is not valid",
  BODY_INCOMPLETE: "The body of the request is not complete",
  BODY_TIMEOUT: "The body of the request took too long to arrive",
  BODY_TOO_LARGE: "The body of the request is too large",
  UNAVAILABLE: "A service that is needed here cannot be reached",
  INTERNAL: "Something went wrong on the server",
};

/**
 * The answer to a connection that is not let in: a status, a stable code and a sentence.
 *
 * A consumer or a middleware returns or throws one; nothing is upgraded then.
 *
 * *Security*: `detail` is sent to the peer as it is.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** What a client should wait before it tries again, in seconds. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: RefusalCode | (string & Record<never, never>),
    options: {
      detail?: string | undefined;
      status?: number | undefined;
      retryAfterSeconds?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    const known = code as RefusalCode;
    const detail = options.detail ?? DETAIL[known] ?? "The connection was refused";
    super(detail, { cause: options.cause });
    this.status = options.status ?? STATUS[known] ?? 403;
    this.code = code;
    this.detail = detail;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /**
   * Returns the refusal of a code, with its usual status and sentence: the same one every time, so that
   * turning many away costs little. It cannot be changed.
   */
  static of(code: RefusalCode): Refusal {
    let known = usual.get(code);
    if (known === undefined) usual.set(code, known = Object.freeze(new Refusal(code)));
    return known;
  }
}

const usual = new Map<RefusalCode, Refusal>();
