import { LayerError } from "./layer_error.ts";
import { RedisError } from "./redis_reader.ts";

const NOT_NOW = "Redis cannot be reached, or does not take this now";

/**
 * Redis did not do it, and says where or when to ask again:
 *
 * - `moved`: another node has the slot;
 * - `ask`: another node has it in part, and is to be asked this once;
 * - `later`: the cluster is about to change.
 */
export class RedisRedirection extends LayerError {
  readonly kind: "moved" | "ask" | "later";
  /** `host:port` of the node, where it was said. Without a host, it is that of who said so. */
  readonly address: string | undefined;

  constructor(kind: RedisRedirection["kind"], address?: string, cause?: unknown) {
    super("UNAVAILABLE", NOT_NOW, { cause });
    this.kind = kind;
    this.address = address;
  }
}

/** The error of whatever needs Redis while it cannot be reached, or that it does not take. */
export function unavailable(cause?: unknown): LayerError {
  if (cause instanceof LayerError) return cause;
  return redirectionOf(cause) ?? new LayerError("UNAVAILABLE", reasonOf(cause), { cause });
}

/**
 * Whether an answer says that the connection is of no use: it leads to a replica (`READONLY`,
 * `MASTERDOWN`) or to a server that has just started (`LOADING`), or the scripts were flushed, which a
 * new connection loads again.
 */
export function isUseless(error: unknown): boolean {
  return error instanceof RedisError && /^(READONLY|MASTERDOWN|LOADING|NOSCRIPT)$/.test(error.code);
}

function redirectionOf(error: unknown): RedisRedirection | undefined {
  if (!(error instanceof RedisError)) return undefined;
  const [code, , address] = error.message.split(" ");
  if (code === "MOVED") return new RedisRedirection("moved", address, error);
  if (code === "ASK") return new RedisRedirection("ask", address, error);
  if (error.message.includes("non local key")) {
    return new RedisRedirection("later", undefined, error);
  }
  const isLater = code === "TRYAGAIN" || code === "CLUSTERDOWN";
  return isLater ? new RedisRedirection("later", undefined, error) : undefined;
}

/** *Security*: nothing of what Redis or the network said, which may repeat what it was sent. */
function reasonOf(cause: unknown): string {
  const code = cause instanceof RedisError ? cause.code : "";
  if (/^(WRONGPASS|NOAUTH|NOPERM)$/.test(code)) {
    return "Redis refuses this user or password, or this user may not do what is needed";
  }
  if (/certificate|UnknownIssuer|self.signed|^CERT_|UNABLE_TO_/i.test(textOf(cause))) {
    return "The certificate of Redis is not valid for its address, or of no authority known here";
  }
  return NOT_NOW;
}

function textOf(cause: unknown): string {
  if (!(cause instanceof Error) || cause instanceof RedisError) return "";
  return `${(cause as { code?: unknown }).code ?? ""} ${cause.message}`;
}
