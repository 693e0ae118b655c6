import type { Clock, Log } from "../scope.ts";
import { CloseCode, Refusal } from "../protocol/mod.ts";
import { SmallSet } from "../small_set.ts";
import { type BindingKeeper, LiveBinding } from "./live_binding.ts";
import type {
  BoundConnection,
  LiveEntry,
  SessionBinding,
  SessionSource,
  SessionWatcher,
} from "./live_entry.ts";
import type { FoundSession, Session, SessionEndReason, SessionEvent } from "./session.ts";
import { SessionRenewals } from "./session_renewals.ts";

/** What keeps up with other processes while connections are bound. */
export interface Follower {
  start(): void;
  stop(): void;
}

/** What is to know of everything that happened before connections are told. */
export interface Recollecting {
  apply(event: SessionEvent): void;
  /** Forgets everything: events may have been missed. */
  clear(): void;
}

type UserEnded = SessionEvent & { readonly type: "user-ended" };

/** Sessions that are read at once when everything is looked at. */
const BATCH_SIZE = 100;

/**
 * Which connections of this process belong to which session, so that they end with it.
 *
 * An `ended` event ends every one of them at once, with 4401. A session that turns out to be another
 * person's ends them with 4403. {@linkcode SessionRenewals} has their lifetimes.
 */
export class LiveSessions implements BindingKeeper {
  readonly #sessions: SessionSource;
  readonly #log: Log;
  readonly #entries = new Map<string, LiveEntry>();
  readonly #renewals: SessionRenewals;
  readonly #followers = new Set<Follower>();
  #recollection: Recollecting | undefined;

  constructor(sessions: SessionSource, options: { clock: Clock; log: Log }) {
    this.#sessions = sessions;
    this.#log = options.log;
    this.#renewals = new SessionRenewals(sessions, options, {
      isCurrent: (entry) => this.#isCurrent(entry),
      expire: (entry) => this.#end(entry, "expired"),
    });
  }

  /** Ties a connection that has proved its session to it, until the connection's end. */
  bind(
    sessionId: string,
    connection: BoundConnection,
    watcher?: SessionWatcher,
  ): SessionBinding {
    const binding = this.claim(sessionId, connection, watcher);
    binding.prove();
    return binding;
  }

  /**
   * Ties a connection to a session that it has not proved yet.
   *
   * Call it *before* the session is read: a session that ends meanwhile is not missed then. The
   * session need not exist.
   *
   * *Security*: what the connection receives is no use of the session until the tie is proved.
   */
  claim(
    sessionId: string,
    connection: BoundConnection,
    watcher: SessionWatcher = {},
  ): SessionBinding {
    const entry = this.#entries.get(sessionId) ?? this.#add(sessionId);
    const binding = new LiveBinding(entry, connection, { watcher, keeper: this });
    entry.bindings.add(binding);
    connection.onEnd(binding);
    return binding;
  }

  /** Called by a tie that is over. */
  released(binding: LiveBinding): void {
    const { entry, connection } = binding;
    if (binding.isProved) entry.seenAt = Math.max(entry.seenAt, connection.lastReceivedAt);
    entry.bindings.delete(binding);
    if (entry.bindings.size === 0) this.#remove(entry);
  }

  /** Unties a connection from a session, so that it outlives it. */
  unbind(sessionId: string, connection: BoundConnection): void {
    for (const binding of this.#entries.get(sessionId)?.bindings ?? []) {
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
    if (!known) this.#renewals.schedule(entry, session);
    else if (known.lastSeenAt !== session.lastSeenAt) {
      this.#tell(entry, (watcher) => watcher.sessionChanged?.(session));
    }
  }

  /** Takes note of what happened to a session, in this process or in another one. */
  apply(event: SessionEvent): void {
    this.#recollection?.apply(event);
    switch (event.type) {
      case "renewed":
        return this.track(event.session);
      case "ended":
        return this.#endById(event.sessionId, event.reason);
      case "user-ended":
        return this.#endOfUser(event);
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
    this.#recollection?.clear();
    await this.#confirmAll([...this.#entries.keys()]);
  }

  /**
   * Reads the sessions that an event is about, and ends those that are gone.
   *
   * @throws {Error} The store cannot be reached.
   */
  async confirm(event: SessionEvent): Promise<void> {
    if (event.type === "renewed") return;
    const ids = event.type === "ended"
      ? [event.sessionId].filter((id) => this.#entries.has(id))
      : this.#ofUser(event.userId).map(({ id }) => id);
    await this.#confirmAll(ids);
  }

  async #confirmAll(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += BATCH_SIZE) {
      const batch = ids.slice(at, at + BATCH_SIZE);
      const found = await this.#sessions.findMany(batch);
      batch.forEach((id, index) => this.#confirm(id, found[index]!));
    }
  }

  /** Tells of every event first, so that whoever reads because of one finds nothing out of date. */
  tellFirst(recollection: Recollecting): void {
    this.#recollection = recollection;
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
    const open = new Set<BoundConnection>();
    for (const { connection } of this.#entries.get(sessionId)?.bindings ?? []) {
      if (connection.phase === "open") open.add(connection);
    }
    return open.size;
  }

  #add(id: string): LiveEntry {
    const entry: LiveEntry = {
      id,
      bindings: new SmallSet(),
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

  #ofUser(userId: string): LiveEntry[] {
    return [...this.#entries.values()].filter(({ session }) => session?.userId === userId);
  }

  /** Ends what is older than the event; of what began later the person is looked at again. */
  #endOfUser({ userId, reason, at = Infinity }: UserEnded): void {
    for (const entry of this.#ofUser(userId)) {
      if (entry.session!.createdAt <= at) this.#end(entry, reason);
      else this.#tellOfUser(entry);
    }
  }

  #confirm(id: string, found: FoundSession): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    // One that has expired has its deadline.
    if (found.state === "unknown") return this.#end(entry, "revoked");
    if (found.state === "live") this.track(found.session);
    this.#tellOfUser(entry);
  }

  #tellOfUser(entry: LiveEntry): void {
    this.#tell(entry, (watcher) => watcher.userChanged?.());
  }

  #tell(entry: LiveEntry, tell: (watcher: SessionWatcher) => void): void {
    for (const { watcher, connection } of entry.bindings) {
      try {
        tell(watcher);
      } catch (error) {
        this.#log.error("a connection could not be told", { connection: connection.id, error });
      }
    }
  }

  #remove(entry: LiveEntry): void {
    if (this.#isCurrent(entry)) this.#delete(entry);
    this.#renewals.compact(this.#entries.size);
  }

  #isCurrent(entry: LiveEntry): boolean {
    return this.#entries.get(entry.id) === entry;
  }

  #delete(entry: LiveEntry): void {
    this.#entries.delete(entry.id);
    if (this.#entries.size === 0) this.#eachFollower((follower) => follower.stop());
  }

  #endById(id: string, reason: SessionEndReason): void {
    const entry = this.#entries.get(id);
    if (entry) this.#end(entry, reason);
  }

  #end(entry: LiveEntry, reason: string, code: CloseCode = CloseCode.sessionOver): void {
    this.#delete(entry);
    for (const binding of entry.bindings) binding.over = true;
    for (const { connection } of entry.bindings) {
      try {
        if (connection.phase === "deciding") connection.refuse(Refusal.of("NOT_SIGNED_IN"));
        connection.end(code, reason);
      } catch (error) {
        this.#log.error("a connection could not be ended", { connection: connection.id, error });
      }
    }
  }
}
