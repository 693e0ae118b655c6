import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { TimerHeap } from "../../time/timers.ts";
import type { FoundSession, Session } from "../session.ts";
import type { RegistryEntry } from "./session_subscription.ts";

/** The latest renewal of a session in use, in milliseconds before its end. */
const MAX_LEAD_MS = 1_000;

/** Most concurrent reads and renewals. */
const MAX_CHECKS_AT_ONCE = 32;

/** The part of {@linkcode Sessions} that the connections of sessions need. */
export interface SessionSource {
  /** The shortest time between two renewals of a session, in milliseconds. */
  readonly renewEveryMs: number;
  /** Returns a live session. */
  get(id: string): Promise<Session | undefined>;
  /** Finds sessions, in the order of `ids`. */
  findMany(ids: readonly string[]): Promise<FoundSession[]>;
  /** Renews a session that was in use; undefined if it has ended. */
  touch(session: Session, options: { seenAt: number }): Promise<Session | undefined>;
  /**
   * Set if messages do not extend a session: how long before its end it is confirmed, in milliseconds,
   * the longest time first. It ends at `expiresAt` unless a confirmation has returned a later time.
   */
  readonly confirmBeforeMs?: readonly number[];
  /** Called when such a session has expired. */
  expired?(session: Session): void;
}

/** The owner of the sessions. */
export interface RenewalTarget {
  /** Returns whether a session still has connections. */
  isCurrent(entry: RegistryEntry): boolean;
  /** Ends the connections of an expired session. */
  expire(entry: RegistryEntry): void;
  /** Reads a session before its end, and ends its connections if it no longer exists. */
  confirm(entry: RegistryEntry): Promise<void>;
}

/**
 * Tracks the lifetimes of sessions that have connections, with one timer for all.
 *
 * When a session is due for renewal or may have expired, its connections are checked for messages
 * received since. If there are any, it is renewed. Otherwise, at its end, it is read once more
 * (another process may have renewed it), and its connections end if it has expired. They also end
 * if the store cannot be reached then: unconfirmed sessions do not stay open.
 *
 * Sessions with `confirmBeforeMs` are read before their end instead, because such a read may hang: their
 * connections end on time whatever the reads do.
 */
export class SessionRenewals {
  readonly #sessions: SessionSource;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #target: RenewalTarget;
  readonly #deadlines: TimerHeap<RegistryEntry>;
  readonly #waiting: RegistryEntry[] = [];
  #running = 0;

  constructor(
    sessions: SessionSource,
    { clock, log }: { clock: Clock; log: Log },
    target: RenewalTarget,
  ) {
    this.#sessions = sessions;
    this.#clock = clock;
    this.#log = log;
    this.#target = target;
    this.#deadlines = new TimerHeap(clock, (entry) => this.#onDeadline(entry));
  }

  /** Schedules the next check of a session's lifetime. */
  schedule(entry: RegistryEntry, session: Session): void {
    const now = this.#clock.now();
    const { renewEveryMs, confirmBeforeMs } = this.#sessions;
    if (confirmBeforeMs !== undefined) {
      const lead = confirmBeforeMs.find((ms) => now < session.expiresAt - ms) ?? 0;
      entry.checkAt = session.expiresAt - lead;
      return this.#deadlines.add(entry, entry.checkAt);
    }
    const last = session.expiresAt - Math.min(MAX_LEAD_MS, renewEveryMs / 10);
    entry.checkAt = now < last ? Math.min(now + renewEveryMs, last) : session.expiresAt;
    this.#deadlines.add(entry, entry.checkAt);
  }

  /** Drops the deadlines of sessions without connections if they outnumber the `size` others. */
  compact(size: number): void {
    if (this.#deadlines.size <= 2 * size + 64) return;
    this.#deadlines.compact((entry, at) => this.#target.isCurrent(entry) && entry.checkAt === at);
  }

  #onDeadline(entry: RegistryEntry): void {
    const session = entry.session;
    if (!session || !this.#target.isCurrent(entry)) return;
    if (this.#clock.now() < entry.checkAt) return; // It was scheduled again for later.
    const { confirmBeforeMs } = this.#sessions;
    if (confirmBeforeMs !== undefined) return this.#confirmOrExpire(entry, session);
    const inUse = lastReceivedAt(entry) > session.lastSeenAt;
    if (!inUse && this.#clock.now() < session.expiresAt) return this.schedule(entry, session);
    this.#waiting.push(entry);
    void this.#checkWaiting();
  }

  #confirmOrExpire(entry: RegistryEntry, session: Session): void {
    const leftMs = session.expiresAt - this.#clock.now();
    if (leftMs <= 0) {
      this.#sessions.expired?.(session);
      return this.#target.expire(entry);
    }
    this.schedule(entry, session);
    if (leftMs > this.#sessions.confirmBeforeMs![0]!) return; // It was extended meanwhile.
    this.#waiting.push(entry);
    void this.#checkWaiting();
  }

  /** Never rejects. */
  async #checkWaiting(): Promise<void> {
    if (this.#running >= MAX_CHECKS_AT_ONCE) return;
    this.#running++;
    for (let entry = this.#waiting.pop(); entry; entry = this.#waiting.pop()) {
      await this.#check(entry);
    }
    this.#running--;
  }

  async #check(entry: RegistryEntry): Promise<void> {
    const before = entry.session;
    if (!before || !this.#target.isCurrent(entry)) return;
    if (this.#sessions.confirmBeforeMs !== undefined) return await this.#confirm(entry, before);
    const session = await this.#renewOrRead(entry, before);
    if (!this.#target.isCurrent(entry)) return;
    if (session === undefined) return this.#target.expire(entry);
    if (entry.session === before) entry.session = session;
    this.schedule(entry, entry.session ?? session);
  }

  async #confirm(entry: RegistryEntry, { id }: Session): Promise<void> {
    try {
      await this.#target.confirm(entry);
    } catch (error) {
      this.#log.warn("a session could not be confirmed", { session: id, error });
    }
  }

  async #renewOrRead(entry: RegistryEntry, session: Session): Promise<Session | undefined> {
    const seenAt = lastReceivedAt(entry);
    try {
      return seenAt > session.lastSeenAt
        ? await this.#sessions.touch(session, { seenAt })
        : await this.#sessions.get(session.id);
    } catch (error) {
      const over = this.#clock.now() >= session.expiresAt;
      this.#log.warn("a session could not be renewed", { session: session.id, over, error });
      return over ? undefined : session;
    }
  }
}

function lastReceivedAt(entry: RegistryEntry): number {
  let latest = entry.seenAt;
  for (const { connection, isProved } of entry.subscriptions) {
    if (isProved && connection.lastReceivedAt > latest) latest = connection.lastReceivedAt;
  }
  return latest;
}
