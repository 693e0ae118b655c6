import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { KeyValue } from "../../kv/mod.ts";
import type { ProcessLayer } from "../../cluster/process_group.ts";
import type { Session } from "../session.ts";
import type { Identity } from "./identity.ts";

/** Options of {@linkcode ExternalSessions}. */
export interface ExternalSessionsOptions<
  U extends { readonly id: string } = { readonly id: string },
> {
  /**
   * Returns the session and the user of a request, or undefined if it has none. It gets a `GET`
   * request with the URL and all headers of the handshake, without a body. It is called again with the
   * same request while sockets are open, to learn whether the session is still live.
   *
   * If it throws or takes more than 5 s, the client is refused with 503 `UNAVAILABLE`; a `Refusal` that
   * it throws is used as it is. An invalid identity is refused with 500 `INTERNAL`, and the log has the
   * reason.
   */
  readonly identify: (
    request: Request,
  ) => Identity<U> | undefined | null | Promise<Identity<U> | undefined | null>;
  /**
   * The database that the processes share. It keeps the ended sessions, and each process reads new ones
   * within 200 ms. With it, an end reaches every process within a second even if the layer is down, and
   * an ended session stays refused in processes that start later.
   */
  readonly kv?: KeyValue | undefined;
  /** The channel layer between the processes. With it, an end reaches them within milliseconds. */
  readonly layer?: ProcessLayer | undefined;
  /** Issues and verifies tickets: an object of the class `Tickets`, over the same database. */
  readonly tickets?: {
    /** Issues a ticket. */
    issue(
      session: Session,
      binding: { readonly path: string; readonly origin: string | undefined },
    ): Promise<{ readonly ticket: string; readonly expiresAt: number }>;
    /** Verifies a ticket. */
    verify(
      ticket: string,
      binding: { readonly path: string; readonly origin: string | undefined },
      options?: { refused?: (reason: string) => void },
    ): Promise<
      {
        readonly id: string;
        readonly sessionId: string;
        readonly userId: string;
        readonly expiresAt: number;
      } | undefined
    >;
    /** Marks a ticket as used: true for exactly one of all calls. */
    use(claims: {
      readonly id: string;
      readonly sessionId: string;
      readonly userId: string;
      readonly expiresAt: number;
    }): Promise<boolean>;
  } | undefined;
  /** Records each end of a session with open sockets: an object of the class `Audit`. */
  readonly audit?: {
    /** Records an event under a name, once over all processes. */
    writeOnce(
      name: string,
      event: {
        readonly kind: "session-ended";
        readonly sessionId: string;
        readonly userId: string;
        readonly code: string;
      },
      at: number,
    ): void;
  } | undefined;
  /**
   * How long an ended session is refused even if `identify()` returns it, in milliseconds. `ended()` can
   * set another time. @default {3_600_000} (an hour)
   */
  readonly rememberEndedMs?: number;
  /**
   * How often `identify()` is called again for each session with open sockets, in milliseconds. It ends
   * sessions whose end was not reported. @default {60_000}
   */
  readonly recheckMs?: number;
  /**
   * Separates several objects of this class that share a database or a layer: 1 to 32 letters, digits,
   * `-` and `_`. @default {"external"}
   */
  readonly name?: string;
  /** The clock that lifetimes are checked against. @default {systemClock} */
  readonly clock?: Clock;
  /** The log for problems with sessions. @default {consoleLog} */
  readonly log?: Log;
}

/** The options of {@linkcode ExternalSessions} that have defaults. */
export interface ExternalRules {
  readonly rememberEndedMs: number;
  readonly recheckMs: number;
  readonly name: string;
}

/**
 * Returns the options that have defaults.
 *
 * @throws {RangeError} A time is not a positive number, or the name is invalid.
 */
export function readExternalRules<U extends { readonly id: string }>(
  options: ExternalSessionsOptions<U>,
): ExternalRules {
  const { rememberEndedMs = 3_600_000, recheckMs = 60_000, name = "external" } = options;
  for (const [key, ms] of Object.entries({ rememberEndedMs, recheckMs })) {
    if (!(ms > 0 && Number.isFinite(ms))) {
      throw new RangeError(`${key} must be a positive number of milliseconds, not ${ms}`);
    }
  }
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(name)) {
    throw new RangeError("name must have 1 to 32 letters, digits, - and _");
  }
  return { rememberEndedMs, recheckMs, name };
}
