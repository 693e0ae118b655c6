import type { Clock, Connection, Log } from "../scope.ts";
import { CloseCode, Refusal } from "../protocol/mod.ts";
import { Deadlines } from "./deadlines.ts";
import type { FoundSession, Session, SessionEndReason, SessionEvent } from "./session.ts";

/** What {@linkcode LiveSessions} needs to know of sessions. {@linkcode Sessions} has it. */
export interface SessionSource {
  /** How long a session is not renewed again, in milliseconds. */
  readonly renewEveryMs: number;
  /** Returns a session that lives. */
  get(id: string): Promise<Session | undefined>;
  /** Finds sessions, in the order of `ids`. */
  findMany(ids: readonly string[]): Promise<FoundSession[]>;
  /** Renews a session that was in use; undefined where it is over. */
  touch(session: Session, options: { seenAt: number }): Promise<Session | undefined>;
}

/** What {@linkcode LiveSessions} needs of a connection. */
export type BoundConnection = Pick<
  Connection,
  "id" | "phase" | "lastReceivedAt" | "refuse" | "end" | "onEnd"
>;

/** What a connection wants to know of its session while it is bound to it. */
export interface SessionWatcher {
  /** The session lives longer, or got another secret. */
  sessionChanged?(session: Session): void;
  /** What is known of the person may be out of date. */
  userChanged?(): void;
}

/** What keeps up with other processes while connections are bound. */
export interface Follower {
  start(): void;
  stop(): void;
}

/** One connection's tie to its session. */
export interface SessionBinding {
  /** Whether the session ended since the connection was bound to it. */
  readonly over: boolean;
  /** Unties them. Happens by itself at the connection's end. */
  release(): void;
}

/** How long before its end a session in use is renewed at the latest, in milliseconds. */
const MAX_LEAD_MS = 1_000;

/** Reads and renewals that run at once. */
const MAX_CHECKS_AT_ONCE = 32;

/** Sessions that are read at once when everything is looked at. */
const BATCH_SIZE = 100;

interface Entry {
  readonly id: string;
  readonly connections: Set<BoundConnection>;
  readonly bindings: Set<Binding>;
  session: Session | undefined;
  /** When connections that are gone received something last. */
  seenAt: number;
  checkAt: number;
}

interface Binding extends SessionBinding {
  over: boolean;
  readonly connection: BoundConnection;
  readonly watcher: SessionWatcher;
}

/**
 * Which connections of this process belong to which session, so that they end with it.
 *
 * An `ended` event ends every one of them at once, with 4401. A session that turns out to be another
 * person's ends them with 4403. Expiry costs one timer in all: when a
 * session may have to be renewed or may be over, its connections are asked whether they received
 * something since. If so it is renewed; else, at its end, it is read once more (another process may
 * have renewed it), and ended where it is over. Where the store cannot be reached then, it is over
 * too: what cannot be confirmed does not stay open.
 */
export class LiveSessions {
  readonly #sessions: SessionSource;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #entries = new Map<string, Entry>();
  readonly #deadlines: Deadlines<Entry>;
  readonly #waiting: Entry[] = [];
  #running = 0;
  readonly #followers = new Set<Follower>();

  constructor(sessions: SessionSource, options: { clock: Clock; log: Log }) {
    this.#sessions = sessions;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#deadlines = new Deadlines(options.clock, (entry) => this.#onDeadline(entry));
  }

  /**
   * Ties a connection to a session, until the connection's end.
   *
   * Call it *before* the session is read: a session that ends meanwhile is not missed then. The
   * session need not exist.
   */
  bind(
    sessionId: string,
    connection: BoundConnection,
    watcher: SessionWatcher = {},
  ): SessionBinding {
    const entry = this.#entries.get(sessionId) ?? this.#add(sessionId);
    entry.connections.add(connection);
    const release = () => {
      cancel?.();
      entry.seenAt = Math.max(entry.seenAt, connection.lastReceivedAt);
      entry.connections.delete(connection);
      entry.bindings.delete(binding);
      if (entry.bindings.size === 0) this.#remove(entry);
    };
    const binding: Binding = { over: false, release, connection, watcher };
    entry.bindings.add(binding);
    // `onEnd` calls back at once where the connection is over: `cancel` is not there yet then.
    let cancel: (() => void) | undefined = undefined;
    cancel = connection.onEnd(release);
    return binding;
  }

  /** Unties a connection from a session, so that it outlives it. */
  unbind(sessionId: string, connection: BoundConnection): void {
    for (const binding of [...this.#entries.get(sessionId)?.bindings ?? []]) {
      if (binding.connection === connection) binding.release();
    }
  }

  /** Watches the lifetime of a session that was read, while connections are bound to it. */
  track(session: Session): void {
    const entry = this.#entries.get(session.id);
    if (!entry) return;
    const known = entry.session;
    if (known && known.lastSeenAt > session.lastSeenAt) return;
    if (known && known.userId !== session.userId) {
      return this.#end(entry, "another user", CloseCode.forbidden);
    }
    entry.session = session;
    if (!known) this.#schedule(entry, session);
    else if (known.lastSeenAt !== session.lastSeenAt) {
      this.#tell(entry, (watcher) => watcher.sessionChanged?.(session));
    }
  }

  /** Takes note of what happened to a session, in this process or in another one. */
  apply(event: SessionEvent): void {
    switch (event.type) {
      case "renewed":
        return this.track(event.session);
      case "ended":
        return this.#endById(event.sessionId, event.reason);
      case "user-ended":
        for (const { id } of this.#ofUser(event.userId)) this.#endById(id, event.reason);
        return;
      case "user-changed":
        for (const entry of this.#ofUser(event.userId)) this.#tellOfUser(entry);
    }
  }

  /**
   * Reads every session that has connections, in batches, and ends those that are gone; for when
   * events may have been missed.
   *
   * @throws {Error} The store cannot be reached: then not all was looked at.
   */
  async revalidate(): Promise<void> {
    const ids = [...this.#entries.keys()];
    for (let at = 0; at < ids.length; at += BATCH_SIZE) {
      const batch = ids.slice(at, at + BATCH_SIZE);
      const found = await this.#sessions.findMany(batch);
      batch.forEach((id, index) => this.#confirm(id, found[index]!));
    }
  }

  /** Lets a follower run while connections are bound. Returns how to stop it for good. */
  followWith(follower: Follower): () => void {
    this.#followers.add(follower);
    if (this.#entries.size > 0) follower.start();
    return () => {
      this.#followers.delete(follower);
      follower.stop();
    };
  }

  /** The sessions that have connections in this process. */
  sessionIds(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** How many sessions have connections in this process. */
  get size(): number {
    return this.#entries.size;
  }

  /** How many open sockets a session has in this process. */
  count(sessionId: string): number {
    let open = 0;
    for (const connection of this.#entries.get(sessionId)?.connections ?? []) {
      if (connection.phase === "open") open++;
    }
    return open;
  }

  #add(id: string): Entry {
    const entry: Entry = {
      id,
      connections: new Set(),
      bindings: new Set(),
      session: undefined,
      seenAt: 0,
      checkAt: Infinity,
    };
    this.#entries.set(id, entry);
    if (this.#entries.size === 1) this.#eachFollower((follower) => follower.start());
    return entry;
  }

  #eachFollower(call: (follower: Follower) => void): void {
    for (const follower of this.#followers) call(follower);
  }

  #ofUser(userId: string): Entry[] {
    return [...this.#entries.values()].filter(({ session }) => session?.userId === userId);
  }

  #confirm(id: string, found: FoundSession): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    // One that has expired has its deadline.
    if (found.state === "unknown") return this.#end(entry, "revoked");
    if (found.state === "live") this.track(found.session);
    this.#tellOfUser(entry);
  }

  #tellOfUser(entry: Entry): void {
    this.#tell(entry, (watcher) => watcher.userChanged?.());
  }

  #tell(entry: Entry, tell: (watcher: SessionWatcher) => void): void {
    for (const { watcher, connection } of [...entry.bindings]) {
      try {
        tell(watcher);
      } catch (error) {
        this.#log.error("a connection could not be told", { connection: connection.id, error });
      }
    }
  }

  #remove(entry: Entry): void {
    if (this.#isCurrent(entry)) this.#delete(entry);
    if (this.#deadlines.size > 2 * this.#entries.size + 64) {
      this.#deadlines.compact((kept, at) => this.#isCurrent(kept) && kept.checkAt === at);
    }
  }

  #isCurrent(entry: Entry): boolean {
    return this.#entries.get(entry.id) === entry;
  }

  #delete(entry: Entry): void {
    this.#entries.delete(entry.id);
    if (this.#entries.size === 0) this.#eachFollower((follower) => follower.stop());
  }

  #endById(id: string, reason: SessionEndReason): void {
    const entry = this.#entries.get(id);
    if (entry) this.#end(entry, reason);
  }

  #end(entry: Entry, reason: string, code: CloseCode = CloseCode.sessionOver): void {
    this.#delete(entry);
    for (const binding of entry.bindings) binding.over = true;
    for (const connection of [...entry.connections]) {
      try {
        if (connection.phase === "deciding") connection.refuse(new Refusal("NOT_SIGNED_IN"));
        connection.end(code, reason);
      } catch (error) {
        this.#log.error("a connection could not be ended", { connection: connection.id, error });
      }
    }
  }

  #schedule(entry: Entry, session: Session): void {
    const now = this.#clock.now();
    const { renewEveryMs } = this.#sessions;
    const last = session.expiresAt - Math.min(MAX_LEAD_MS, renewEveryMs / 10);
    entry.checkAt = now < last ? Math.min(now + renewEveryMs, last) : session.expiresAt;
    this.#deadlines.add(entry, entry.checkAt);
  }

  #onDeadline(entry: Entry): void {
    const session = entry.session;
    if (!session || !this.#isCurrent(entry)) return;
    const inUse = lastReceivedAt(entry) > session.lastSeenAt;
    if (!inUse && this.#clock.now() < session.expiresAt) return this.#schedule(entry, session);
    this.#waiting.push(entry);
    void this.#checkWaiting();
  }

  async #checkWaiting(): Promise<void> {
    if (this.#running >= MAX_CHECKS_AT_ONCE) return;
    this.#running++;
    for (let entry = this.#waiting.pop(); entry; entry = this.#waiting.pop()) {
      await this.#check(entry);
    }
    this.#running--;
  }

  async #check(entry: Entry): Promise<void> {
    const before = entry.session;
    if (!before || !this.#isCurrent(entry)) return;
    const session = await this.#renewOrRead(entry, before);
    if (!this.#isCurrent(entry)) return;
    if (session === undefined) return this.#end(entry, "expired");
    if (entry.session === before) entry.session = session;
    this.#schedule(entry, entry.session ?? session);
  }

  async #renewOrRead(entry: Entry, session: Session): Promise<Session | undefined> {
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

function lastReceivedAt(entry: Entry): number {
  let latest = entry.seenAt;
  for (const connection of entry.connections) {
    if (connection.lastReceivedAt > latest) latest = connection.lastReceivedAt;
  }
  return latest;
}
