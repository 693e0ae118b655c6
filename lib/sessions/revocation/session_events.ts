import type { Clock } from "../../core/clock.ts";
import type { Freshness } from "../../core/freshness.ts";
import type { Log } from "../../core/log.ts";
import { type LoggedStore, ReadCaches } from "../cache/read_cache.ts";
import type { ConnectionRegistry } from "../connections/connection_registry.ts";
import type { EndingEvent, Session, SessionEvent } from "../session.ts";
import type { ControlLog } from "./control_log.ts";
import { LogPoller, type LogPollerTarget } from "./log_poller.ts";

/** Most positions of the log that are remembered as applied. A forgotten event is applied twice. */
const MAX_APPLIED = 1_000;

/** Most expired sessions that are remembered as reported. */
const MAX_EXPIRED = 10_000;

/** Most signed events that wait for the control log. Further ones wait for its next read. */
const MAX_WAITING = 10_000;

/** The parts of {@linkcode SessionEvents}. */
export interface SessionEventsParts {
  /** The store of the sessions. */
  readonly store: LoggedStore;
  /** The connections of this process. */
  readonly connections: ConnectionRegistry;
  /** The log of events of all processes, if any. */
  readonly controlLog: ControlLog | undefined;
  /** The clock of the poller and the caches. */
  readonly clock: Clock;
  /** The log for problems with events. */
  readonly log: Log;
}

/**
 * The path of every event of a session or a user, from its source to its receivers.
 *
 * The sources are the commits of this process, the control log with the events of all processes, and
 * the channel layer, which says that the log has a new entry. The receivers come in a fixed
 * order: the read caches, so that none of the others reads outdated data; the connection registry;
 * then, for events that this process caused, the listeners. An event that was applied when it was
 * committed is recognized by its position when it is read from the log.
 *
 * An expiry is no event: each process observes it by the clock, and reports it to its own listeners.
 */
export class SessionEvents implements LogPollerTarget {
  /** The read caches; set with a control log. */
  readonly caches: ReadCaches | undefined;
  readonly #parts: SessionEventsParts;
  readonly #poller: LogPoller | undefined;
  readonly #close: (() => void)[] = [];
  readonly #applied = new Set<number>();
  readonly #listeners = new Set<(event: SessionEvent) => void>();
  readonly #expiryListeners = new Set<(session: Session) => void>();
  readonly #expired = new Set<string>();
  /** What the signed events of other processes end that the log has not confirmed yet. */
  readonly #waiting = new Set<string>();

  /** Follows no log before there are connections, or the caches are used. */
  constructor(parts: SessionEventsParts) {
    this.#parts = parts;
    const { controlLog, connections, store, clock } = parts;
    if (controlLog === undefined) return;
    const poller = this.#poller = new LogPoller(controlLog, this, parts);
    const caches = this.caches = new ReadCaches(store, { poller, clock });
    this.#close.push(
      connections.followWith(poller),
      controlLog.onCommit((event, position) => this.#onCommit(event, position)),
      () => caches.close(),
    );
  }

  /** Tells whether the applied events of other processes are fresh; set with a control log. */
  get freshness(): Freshness | undefined {
    return this.#poller;
  }

  /** Stops following other processes. */
  close(): void {
    for (const close of this.#close) close();
  }

  /** Announces a change of a session, unless the control log has done so when it was committed. */
  written(event: SessionEvent): void {
    if (!this.#isLogged) this.announce(event);
  }

  /**
   * Announces a confirmed change. `writtenTo` is the control log that has an entry of it, if any:
   * then caches and connections have received it.
   */
  announce(event: SessionEvent, writtenTo?: ControlLog): void {
    const { controlLog, clock } = this.#parts;
    const dated = event.type === "user-ended" ? { at: clock.now(), ...event } : event;
    if (writtenTo === undefined || writtenTo !== controlLog) this.#apply(dated);
    this.#tell(dated);
  }

  /** Applies an event of the control log, unless it has been applied. */
  apply(event: SessionEvent, position?: number): void {
    if (position !== undefined && this.#applied.has(position)) return;
    this.#apply(event, position);
  }

  /** Clears the caches and checks all connections, because events may have been missed. */
  async revalidate(): Promise<void> {
    this.#applied.clear(); // The log may be another one, with other entries at these positions.
    this.caches?.clear();
    await this.#parts.connections.revalidate();
  }

  /**
   * Handles an event of another process. It is not trusted: it triggers a read of the control log, or
   * of the store if there is no log. If the database cannot be reached and the event is signed, it is
   * applied as it is: it was committed, and the sessions must end within a second.
   */
  heard(event: SessionEvent, signed?: EndingEvent): void {
    const { connections, log } = this.#parts;
    const poller = this.#poller;
    if (poller === undefined) {
      connections.confirm(event).catch((error) => {
        if (signed !== undefined) return this.#apply(signed);
        log.warn("a session event of another process cannot be confirmed", { error });
      });
      return;
    }
    const subject = signed && subjectOf(signed);
    const isKnown = subject === undefined || this.#waiting.has(subject);
    if (isKnown || this.#waiting.size >= MAX_WAITING) return poller.look();
    this.#waiting.add(subject);
    poller.whenRead((isRead) => {
      this.#waiting.delete(subject);
      if (!isRead) this.#apply(event);
    });
  }

  /** Reports a session as expired, unless it was reported before. */
  expired(session: Session): void {
    if (this.#expired.has(session.id)) return;
    if (this.#expired.size >= MAX_EXPIRED) this.#expired.clear();
    this.#expired.add(session.id);
    this.#callEach(this.#expiryListeners, session, "expired");
  }

  /** The clock of the events. */
  get clock(): Clock {
    return this.#parts.clock;
  }

  /** See {@linkcode Sessions.subscribe}. */
  subscribe(listener: (event: SessionEvent) => void): () => void {
    return addTo(this.#listeners, listener);
  }

  /** See {@linkcode Sessions.onExpired}. */
  onExpired(listener: (session: Session) => void): () => void {
    return addTo(this.#expiryListeners, listener);
  }

  /** Whether the session store announces its changes through the control log. */
  get #isLogged(): boolean {
    const { store, controlLog } = this.#parts;
    return controlLog !== undefined && store.controlLog === controlLog;
  }

  #onCommit(event: SessionEvent, position: number): void {
    // Always: in a log that was restored from a backup, the position may have been used before.
    this.#apply(event, position);
    // A change of a user is announced by the caller, who knows its cause.
    const isOfSession = event.type === "ended" || event.type === "renewed";
    if (isOfSession && this.#isLogged) this.#tell(event);
  }

  #apply(event: SessionEvent, position?: number): void {
    if (position !== undefined) {
      if (this.#applied.size >= MAX_APPLIED) this.#applied.delete(firstOf(this.#applied));
      this.#applied.add(position);
    }
    this.caches?.apply(event);
    this.#parts.connections.apply(event);
  }

  #tell(event: SessionEvent): void {
    this.#callEach(this.#listeners, event, event.type);
  }

  #callEach<T>(listeners: Iterable<(value: T) => void>, value: T, event: string): void {
    for (const listener of listeners) {
      try {
        listener(value);
      } catch (error) {
        this.#parts.log.error("a listener for sessions failed", { event, error });
      }
    }
  }
}

function addTo<T>(set: Set<T>, item: T): () => void {
  set.add(item);
  return () => {
    set.delete(item);
  };
}

function subjectOf(event: EndingEvent): string {
  return event.type === "ended" ? event.sessionId : `${event.userId} ${event.at}`;
}

function firstOf<T>(set: Set<T>): T {
  return set.values().next().value!;
}
