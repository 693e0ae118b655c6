import type { HandlerOptions } from "../handler.ts";

/** The limits of one connection. */
export type ConnectionLimits = {
  readonly [L in keyof NonNullable<HandlerOptions["limits"]>]-?: number;
};

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
