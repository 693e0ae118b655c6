/** The parts of the client's `RequestError` that describe a failed message. */
export interface SendError {
  readonly code: string;
  /** Whether it was passed to a connection. */
  readonly sent: boolean;
}

/** The outcome of a message that failed. */
export interface SendFailure {
  readonly reason: string;
  /** Whether it may have arrived nevertheless. */
  readonly uncertain: boolean;
}

const NO_ANSWER = "No answer from the server. It may have been sent";
const LOST = "The connection was lost. It may have been sent";

/** Text for a message that was passed to a connection, if the outcome is unknown. */
const UNCERTAIN: ReadonlyMap<string, string> = new Map(Object.entries({
  CLOSED: LOST,
  DISCONNECTED: LOST,
  OUTCOME_UNKNOWN: NO_ANSWER,
  TIMEOUT: NO_ANSWER,
}));

const CERTAIN: ReadonlyMap<string, string> = new Map(Object.entries({
  CLOSED: "there is no connection",
  DISCONNECTED: "there is no connection",
  FORBIDDEN: "you can't send this here",
  IDENTITY_CHANGED: "another user is signed in now",
  INVALID_MESSAGE: "the server rejected this message",
  QUEUE_FULL: "too many messages waiting",
  RATE_LIMITED: "you're sending too fast",
  TIMEOUT: "there is no connection",
  UNAVAILABLE: "the server is not ready",
}));

/** Describes in plain language why a message was not sent. */
export function describeSendError({ code, sent }: SendError): SendFailure {
  const uncertain = sent ? UNCERTAIN.get(code) : undefined;
  if (uncertain !== undefined) return { reason: uncertain, uncertain: true };
  return { reason: `Not sent: ${CERTAIN.get(code) ?? "something went wrong"}`, uncertain: false };
}
