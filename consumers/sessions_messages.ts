import { defineMessages, type } from "@sluice/sluice/protocol";

/** A session as its owner sees it. */
export interface SessionView {
  readonly id: string;
  /** ISO 8601, as all times here. */
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
  readonly userAgent: string;
  /** The browser and its system, by a short name. A hint: anybody can send any name. */
  readonly device: string;
  /** Who vouched for the person at sign-in. */
  readonly provider: string;
  /** Where the sign-in came from, without the last part of the address. */
  readonly address: string | undefined;
  /** Whether it is the one that asks. */
  readonly current: boolean;
  /** Open sockets, over all processes: those of others as they were a second ago. */
  readonly sockets: number;
}

/** What goes over the socket of the sessions page. */
export const sessionsMessages = defineMessages({
  client: {},
  server: { sessions: type<{ readonly sessions: readonly SessionView[] }>() },
});

/** The type of {@linkcode sessionsMessages}, for clients. */
export type SessionsMessages = typeof sessionsMessages;
