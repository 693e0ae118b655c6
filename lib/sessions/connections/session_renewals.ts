import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { TimerHeap } from "../../time/timer_heap.ts";
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
}

/** The owner of the sessions. */
export interface RenewalTarget {
  /** Returns whether a session still has connections. */
  isCurrent(entry: RegistryEntry): boolean;
  /** Ends the connections of an expired session. */
  expire(entry: RegistryEntry): void;
}

/**
 * Tracks the lifetimes of sessions that have connections, with one timer for all.
 *
 * When a session is due for renewal or may have expired, its connections are checked for messages
 * received since. If there are any, it is renewed. Otherwise, at its end, it is read once more
 * (another process may have renewed it), and its connections end if it has expired. They also end
 * if the store cannot be reached then: unconfirmed sessions do not stay open.
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
    const { renewEveryMs } = this.#sessions;
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
    const inUse = lastReceivedAt(entry) > session.lastSeenAt;
    if (!inUse && this.#clock.now() < session.expiresAt) return this.schedule(entry, session);
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
    const session = await this.#renewOrRead(entry, before);
    if (!this.#target.isCurrent(entry)) return;
    if (session === undefined) return this.#target.expire(entry);
    if (entry.session === before) entry.session = session;
    this.schedule(entry, entry.session ?? session);
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
