import { ReplyError } from "ioredis";

/** An error reply of Redis. */
export class RedisReplyError extends Error {
  override readonly name = "RedisReplyError";

  /** The first word of the message, such as `MOVED`. */
  get code(): string {
    return this.message.split(" ", 1)[0]!;
  }
}

/** The codes of {@linkcode RedisError}. */
export type RedisErrorCode = "CLOSED" | "LIMIT_REACHED" | "UNAVAILABLE";

/** Thrown by the Redis client. */
export class RedisError extends Error {
  override readonly name = "RedisError";
  readonly code: RedisErrorCode;

  constructor(code: RedisErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const NOT_NOW = "Redis is unreachable, or cannot run this command now";

/**
 * Redis did not run the command, and says where or when to retry it:
 *
 * - `moved`: another node has the slot;
 * - `ask`: another node has part of the slot, and takes this command once;
 * - `later`: the cluster is changing.
 */
export class RedisRedirection extends RedisError {
  readonly kind: "moved" | "ask" | "later";
  /** `host:port` of the node, if known. Without a host, it is the host that replied. */
  readonly address: string | undefined;

  constructor(kind: RedisRedirection["kind"], address?: string, cause?: unknown) {
    super("UNAVAILABLE", NOT_NOW, { cause });
    this.kind = kind;
    this.address = address;
  }
}

/**
 * Returns an error of `ioredis` without secrets. *Security*: `ioredis` appends the command with its
 * arguments, such as a password, and a server that does not know the command repeats them in its reply.
 */
export function plainError(error: unknown): unknown {
  if (!isReplyError(error)) return error;
  const { message } = error;
  const isRedirection = /^(MOVED|ASK) |non local key/.test(message);
  return new RedisReplyError(isRedirection ? message : message.split(" ", 1)[0]);
}

function isReplyError(error: unknown): error is Error {
  return error instanceof ReplyError;
}

/** Returns the error of a command that failed or could not be sent. */
export function unavailable(cause?: unknown): RedisError {
  if (cause instanceof RedisError) return cause;
  return redirectionOf(cause) ?? new RedisError("UNAVAILABLE", reasonOf(cause), { cause });
}

/** Returns the error of calls after `close()`. */
export function closedError(): RedisError {
  return new RedisError("CLOSED", "The Redis client is closed");
}

/**
 * Whether an error reply means that the connection must be replaced: the server is a replica
 * (`READONLY`, `MASTERDOWN`) or is starting (`LOADING`), or the scripts were flushed (`NOSCRIPT`), which
 * a new connection loads again.
 */
export function endsConnection(error: unknown): boolean {
  return error instanceof RedisReplyError &&
    /^(READONLY|MASTERDOWN|LOADING|NOSCRIPT)$/.test(error.code);
}

function redirectionOf(error: unknown): RedisRedirection | undefined {
  if (!(error instanceof RedisReplyError)) return undefined;
  const [code, , address] = error.message.split(" ");
  if (code === "MOVED") return new RedisRedirection("moved", address, error);
  if (code === "ASK") return new RedisRedirection("ask", address, error);
  if (error.message.includes("non local key")) {
    return new RedisRedirection("later", undefined, error);
  }
  const isLater = code === "TRYAGAIN" || code === "CLUSTERDOWN";
  return isLater ? new RedisRedirection("later", undefined, error) : undefined;
}

/** *Security*: the text of Redis or the network is left out, as it may repeat secrets sent to it. */
function reasonOf(cause: unknown): string {
  const code = cause instanceof RedisReplyError ? cause.code : "";
  if (/^(WRONGPASS|NOAUTH|NOPERM)$/.test(code)) {
    return "Redis refused the user name or password, or the user lacks permissions";
  }
  if (/certificate|UnknownIssuer|self.signed|^CERT_|UNABLE_TO_/i.test(textOf(cause))) {
    return "The certificate of Redis is not valid for its address, or not from a trusted authority";
  }
  return NOT_NOW;
}

function textOf(cause: unknown): string {
  if (!(cause instanceof Error) || cause instanceof RedisReplyError) return "";
  return `${(cause as { code?: unknown }).code ?? ""} ${cause.message}`;
}
