/** What one connection may do. */
export interface ConnectionLimits {
  /** Largest message that is taken from a client, in bytes. @default {65_536} */
  readonly maxMessageBytes: number;
  /** Messages that a client may send per second. @default {50} */
  readonly messagesPerSecond: number;
  /** Messages that a client may send at once. @default {100} */
  readonly messageBurst: number;
  /** Bytes that may wait for the peer before the connection is ended with 4408. @default {1_048_576} */
  readonly sendBufferBytes: number;
  /** Messages of the layer that may wait for the consumer; more are dropped. @default {100} */
  readonly mailboxCapacity: number;
  /** Bytes of a client's messages that may wait for the consumer. @default {1_048_576} */
  readonly inboxBytes: number;
  /** How long a request may take until it is accepted or refused, in milliseconds. @default {10_000} */
  readonly decisionTimeoutMs: number;
  /**
   * How long a socket that was let in may take to open, in milliseconds: a peer that vanished before
   * the 101 is reported by nobody. @default {10_000}
   */
  readonly openTimeoutMs: number;
  /** How long a plain request that was let in may wait for its answer, in ms. @default {60_000} */
  readonly answerTimeoutMs: number;
  /**
   * How long a connection may be open, in milliseconds; at its end it is ended with 1001, so that
   * clients come back. @default {Infinity}
   */
  readonly maxLifeMs: number;
  /** How long `disconnect()` waits for a method that is running, in milliseconds. @default {5_000} */
  readonly teardownGraceMs: number;
}

/** The limits of a connection where nothing else is said. */
export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  maxMessageBytes: 65_536,
  messagesPerSecond: 50,
  messageBurst: 100,
  sendBufferBytes: 1_048_576,
  mailboxCapacity: 100,
  inboxBytes: 1_048_576,
  decisionTimeoutMs: 10_000,
  openTimeoutMs: 10_000,
  answerTimeoutMs: 60_000,
  maxLifeMs: Infinity,
  teardownGraceMs: 5_000,
};
