/** The state of the connection: the client's `SocketState`, and its reason. */
export interface Connection {
  readonly state: "connecting" | "live" | "reconnecting" | "signed-out" | "refused" | "closed";
  /** Whether it was live before. */
  readonly wasLive: boolean;
  /** A close code, or the code of a refusal; none if the server did not answer. */
  readonly code?: number | string | undefined;
  /** Whether the browser has no network. */
  readonly isOffline?: boolean;
  /** When the next attempt is made, in milliseconds since the epoch. */
  readonly retryAt?: number | undefined;
}

const RESTARTING = "The server is restarting.";
const UNAVAILABLE = "The server is temporarily unavailable.";
const REJECTED = "The server rejected this page's messages. Reload the page.";
const NO_ACCESS = "You no longer have access to this room.";
const OFFLINE = "You are offline.";
const UNREACHABLE = "The server can't be reached.";

const REASONS: ReadonlyMap<string, string> = new Map(Object.entries({
  1002: REJECTED,
  1003: REJECTED,
  1007: REJECTED,
  1009: "A message was too large. Reload the page.",
  1011: "Something went wrong on the server.",
  1012: RESTARTING,
  1013: "The server is busy.",
  4400: REJECTED,
  4403: NO_ACCESS,
  4408: "Your connection was too slow for this room.",
  4429: "You're sending too fast.",
  BAD_HANDSHAKE: "The server did not accept this connection. Reload the page.",
  DRAINING: RESTARTING,
  FORBIDDEN: "You don't have access to this room.",
  INTERNAL: "Something went wrong on the server.",
  NO_CONSUMER: "This room doesn't exist.",
  ORIGIN_NOT_ALLOWED: "This site may not connect to the server.",
  SESSION_EXPIRED: "Your session has expired.",
  TOO_MANY_ATTEMPTS: "Too many attempts from your network. Wait a moment.",
  TOO_MANY_SOCKETS: "You have too many windows open. Close one.",
  UNAVAILABLE,
}));

/** Describes the state of a connection and, if it is not live, the reason. */
export function describeConnection(connection: Connection): string {
  const { state, wasLive } = connection;
  const reason = reasonOf(connection);
  switch (state) {
    case "connecting":
      return "Connecting…";
    case "live":
      return "Live";
    case "reconnecting":
      return join(wasLive ? "Connection lost. Reconnecting…" : "Can't connect yet.", reason);
    case "signed-out":
      return join("You are signed out.", reason);
    case "refused":
      return reason || "You can't enter this room.";
    case "closed":
      return "The connection has ended.";
  }
}

/** Describes why no message can be sent now; undefined while the connection is live. */
export function describeBlock({ state }: Connection): string | undefined {
  switch (state) {
    case "live":
      return undefined;
    case "connecting":
    case "reconnecting":
      return "Waiting for the connection";
    case "signed-out":
      return "Sign in to send";
    case "refused":
    case "closed":
      return "You can't send to this room now";
  }
}

/** Returns the reason in plain language; empty if the code adds nothing. */
function reasonOf({ state, code, isOffline }: Connection): string {
  if (code === undefined && state === "reconnecting") return isOffline ? OFFLINE : UNREACHABLE;
  if (code === undefined) return "";
  const isFromBetween = /^HTTP_\d+$/.test(String(code));
  return REASONS.get(String(code)) ?? (isFromBetween ? UNAVAILABLE : "");
}

function join(...sentences: string[]): string {
  return sentences.filter((sentence) => sentence !== "").join(" ");
}
