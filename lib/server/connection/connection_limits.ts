/** The limits of one connection. */
export interface ConnectionLimits {
  /** Largest message accepted from a client, in bytes. @default {65_536} */
  readonly maxMessageBytes: number;
  /** Messages that a client may send per second. @default {50} */
  readonly messagesPerSecond: number;
  /** Messages that a client may send in one burst. @default {100} */
  readonly messageBurst: number;
  /** Bytes queued for the peer before the connection is closed with 4408. @default {1_048_576} */
  readonly sendBufferBytes: number;
  /** Layer messages queued for the consumer; more are dropped. @default {100} */
  readonly mailboxCapacity: number;
  /** Bytes of client messages queued for the consumer. @default {1_048_576} */
  readonly inboxBytes: number;
  /** Time to accept or refuse a request, in milliseconds. @default {10_000} */
  readonly decisionTimeoutMs: number;
  /**
   * Time for an accepted socket to open, in milliseconds. The runtime does not report a peer that
   * vanishes before the 101 response. @default {10_000}
   */
  readonly openTimeoutMs: number;
  /** Time to answer an accepted plain request, in milliseconds. @default {60_000} */
  readonly answerTimeoutMs: number;
  /**
   * Maximum age of a connection, in milliseconds. Older connections are closed with 1001, and their
   * clients reconnect. @default {Infinity}
   */
  readonly maxLifeMs: number;
  /** How long `disconnect()` waits for a running method, in milliseconds. @default {5_000} */
  readonly teardownGraceMs: number;
}

/** The default limits of a connection. */
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
