import { defineMessages, unchecked } from "@sluice/sluice/protocol";

/** A session, as shown to its user. */
export interface SessionView {
  readonly id: string;
  /** ISO 8601, like all times here. */
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
  readonly userAgent: string;
  /** A short name of the browser and its system. Only a hint: a client can send any name. */
  readonly device: string;
  /** The id of the provider at sign-in. */
  readonly provider: string;
  /** The address at sign-in, without its last part. */
  readonly address: string | undefined;
  /** Whether it is the session of this socket. */
  readonly current: boolean;
  /** Open sockets over all processes; those of other processes may be a second old. */
  readonly sockets: number;
}

/** The messages of the sessions page's socket. */
export const sessionsMessages = defineMessages({
  client: {},
  server: { sessions: unchecked<{ readonly sessions: readonly SessionView[] }>() },
});

/** The type of {@linkcode sessionsMessages}, for clients. */
export type SessionsMessages = typeof sessionsMessages;
