/** What is known of a message that could not be sent: a `RequestError` of the client. */
export interface SendError {
  readonly code: string;
  /** Whether it had been handed to a connection. */
  readonly sent: boolean;
  readonly issues: readonly { readonly message: string }[];
}

/** What became of a message that failed. */
export interface SendFailure {
  readonly reason: string;
  /** It may have arrived all the same. */
  readonly uncertain: boolean;
}

const LOST = ["TIMEOUT", "DISCONNECTED", "CLOSED"];

/** Says in words for everybody why a message was not sent. */
export function describeSendError({ code, sent, issues }: SendError): SendFailure {
  if (LOST.includes(code) && sent) {
    return { reason: "The connection was lost. It may have arrived", uncertain: true };
  }
  return { reason: certainReason(code, issues), uncertain: false };
}

function certainReason(code: string, issues: SendError["issues"]): string {
  if (LOST.includes(code)) return "Not sent: there is no connection";
  if (code === "INVALID_MESSAGE") return `Not sent: ${issues[0]?.message ?? "not valid"}`;
  if (code === "RATE_LIMITED") return "Not sent: too many at once";
  if (code === "IDENTITY_CHANGED") return "Not sent: somebody else is signed in now";
  if (code === "QUEUE_FULL") return "Not sent: too many wait already";
  if (code === "UNAVAILABLE") return "Not sent: the server is not ready";
  if (code === "FORBIDDEN") return "Not sent: you may not say this here";
  return "Not sent: something went wrong";
}
