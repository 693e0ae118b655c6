/** Where the connection stands: `SocketState` of the client, and what there is to say about it. */
export interface Connection {
  readonly state: "connecting" | "live" | "reconnecting" | "signed-out" | "refused" | "closed";
  /** A close code, or the code of a refusal. */
  readonly code?: number | string | undefined;
  /** When the next attempt is made, in milliseconds since the epoch. */
  readonly retryAt?: number | undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  1003: "The server did not take what this page sent.",
  1007: "The server did not take what this page sent.",
  1009: "A message was too large.",
  1012: "The server is restarting.",
  1013: "The server is busy.",
  4400: "Too many messages from this page were not valid.",
  4403: "You may not be in this room any more.",
  4408: "This page could not keep up with the room.",
  4429: "You sent too much at once.",
  DRAINING: "The server is restarting.",
  FORBIDDEN: "You may not enter this room.",
  NO_CONSUMER: "There is no such room.",
  ORIGIN_NOT_ALLOWED: "This page may not open a connection to the server.",
  SESSION_EXPIRED: "Your session has expired.",
  TOO_MANY_SOCKETS: "You have too many windows open. Close one.",
  UNAVAILABLE: "The server cannot reach something that it needs.",
};

/** Says in words for everybody why a connection is not live; empty where there is nothing to add. */
export function reasonOf({ code }: Connection): string {
  return REASONS[code ?? ""] ?? "";
}

/** Says where a connection stands. */
export function stateWords({ state }: Connection): string {
  switch (state) {
    case "connecting":
      return "Connecting…";
    case "live":
      return "Live";
    case "reconnecting":
      return "Connection lost. Reconnecting…";
    case "signed-out":
      return "You are signed out.";
    case "refused":
      return "The room is closed to you.";
    case "closed":
      return "The connection has ended.";
  }
}
