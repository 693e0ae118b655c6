import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { CloseCode, Refusal } from "../../protocol/mod.ts";
import { SmallSet } from "../../core/small_set.ts";
import { RegistrySubscription, type SubscriptionKeeper } from "./session_subscription.ts";
import type {
  RegistryEntry,
  SessionSource,
  SessionSubscription,
  SessionWatcher,
  SubscribedConnection,
} from "./registry_entry.ts";
import type { FoundSession, Session, SessionEndReason, SessionEvent } from "../session.ts";
import { SessionRenewals } from "./session_renewals.ts";

/** Receives events of other processes while connections are bound. */
export interface Follower {
  start(): void;
  stop(): void;
}

/** A read cache, which gets every event before the connections do. */
export interface Recollecting {
  apply(event: SessionEvent): void;
  /** Clears the cache, because events may have been missed. */
  clear(): void;
}

type UserEnded = SessionEvent & { readonly type: "user-ended" };

/** Sessions per read when all are checked. */
const BATCH_SIZE = 100;

/**
 * The connection registry: maps each session to its connections in this process, so that they end
 * with it.
 *
 * An `ended` event ends all of them at once, with 4401. If a session turns out to be another
 * user's, they end with 4403. {@linkcode SessionRenewals} tracks the lifetimes.
 */
export class ConnectionRegistry implements SubscriptionKeeper {
  readonly #sessions: SessionSource;
  readonly #log: Log;
  readonly #entries = new Map<string, RegistryEntry>();
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

  /** Binds a connection to its proved session, until the connection ends. */
  subscribe(
    sessionId: string,
    connection: SubscribedConnection,
    watcher?: SessionWatcher,
  ): SessionSubscription {
    const binding = this.claim(sessionId, connection, watcher);
    binding.prove();
    return binding;
  }

  /**
   * Binds a connection to a session that it has not proved yet.
   *
   * Call it *before* the session is read, so that the session's end meanwhile is not missed. The
   * session need not exist.
   *
   * *Security*: messages that the connection receives do not count as use of the session until it
   * is proved.
   */
  claim(
    sessionId: string,
    connection: SubscribedConnection,
    watcher: SessionWatcher = {},
  ): SessionSubscription {
    const entry = this.#entries.get(sessionId) ?? this.#add(sessionId);
    const binding = new RegistrySubscription(entry, connection, { watcher, keeper: this });
    entry.subscriptions.add(binding);
    connection.onEnd(binding);
    return binding;
  }

  /** Called by a subscription that has ended. */
  released(binding: RegistrySubscription): void {
    const { entry, connection } = binding;
    if (binding.isProved) entry.seenAt = Math.max(entry.seenAt, connection.lastReceivedAt);
    entry.subscriptions.delete(binding);
    if (entry.subscriptions.size === 0) this.#remove(entry);
  }

  /** Unbinds a connection from a session, so that it outlives the session. */
  unsubscribe(sessionId: string, connection: SubscribedConnection): void {
    for (const binding of this.#entries.get(sessionId)?.subscriptions ?? []) {
      if (binding.connection === connection) binding.release();
    }
  }

  /** Tracks the lifetime of a session while connections are bound to it. */
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

  /** Applies an event of this or another process. */
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
   * Reads every session that has connections, in batches, and ends the connections of those that no
   * longer exist. Use it when events may have been missed.
   *
   * @throws {Error} The store cannot be reached: not every session was checked.
   */
  async revalidate(): Promise<void> {
    this.#recollection?.clear();
    await this.#confirmAll([...this.#entries.keys()]);
  }

  /**
   * Reads the sessions that an event is about, and ends the connections of those that no longer
   * exist.
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

  /**
   * Sets the read cache, which gets every event first, so that a listener never reads outdated data
   * from it.
   */
  tellFirst(recollection: Recollecting): void {
    this.#recollection = recollection;
  }

  /** Runs a follower while connections are bound. Returns a function that stops it for good. */
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

  /** The number of sessions with connections in this process. */
  get size(): number {
    return this.#entries.size;
  }

  /** Returns the number of open sockets of a session in this process. */
  count(sessionId: string): number {
    const open = new Set<SubscribedConnection>();
    for (const { connection } of this.#entries.get(sessionId)?.subscriptions ?? []) {
      if (connection.phase === "open") open.add(connection);
    }
    return open.size;
  }

  #add(id: string): RegistryEntry {
    const entry: RegistryEntry = {
      id,
      subscriptions: new SmallSet(),
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

  #ofUser(userId: string): RegistryEntry[] {
    return [...this.#entries.values()].filter(({ session }) => session?.userId === userId);
  }

  /** Ends sessions older than the event; for later ones, the user is read again. */
  #endOfUser({ userId, reason, at = Infinity }: UserEnded): void {
    for (const entry of this.#ofUser(userId)) {
      if (entry.session!.createdAt <= at) this.#end(entry, reason);
      else this.#tellOfUser(entry);
    }
  }

  #confirm(id: string, found: FoundSession): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    // An expired session ends by its deadline.
    if (found.state === "unknown") return this.#end(entry, "revoked");
    if (found.state === "live") this.track(found.session);
    this.#tellOfUser(entry);
  }

  #tellOfUser(entry: RegistryEntry): void {
    this.#tell(entry, (watcher) => watcher.userChanged?.());
  }

  #tell(entry: RegistryEntry, tell: (watcher: SessionWatcher) => void): void {
    for (const { watcher, connection } of entry.subscriptions) {
      try {
        tell(watcher);
      } catch (error) {
        this.#log.error("a connection could not be notified", { connection: connection.id, error });
      }
    }
  }

  #remove(entry: RegistryEntry): void {
    if (this.#isCurrent(entry)) this.#delete(entry);
    this.#renewals.compact(this.#entries.size);
  }

  #isCurrent(entry: RegistryEntry): boolean {
    return this.#entries.get(entry.id) === entry;
  }

  #delete(entry: RegistryEntry): void {
    this.#entries.delete(entry.id);
    if (this.#entries.size === 0) this.#eachFollower((follower) => follower.stop());
  }

  #endById(id: string, reason: SessionEndReason): void {
    const entry = this.#entries.get(id);
    if (entry) this.#end(entry, reason);
  }

  #end(entry: RegistryEntry, reason: string, code: CloseCode = CloseCode.sessionOver): void {
    this.#delete(entry);
    for (const binding of entry.subscriptions) binding.over = true;
    for (const { connection } of entry.subscriptions) {
      try {
        if (connection.phase === "deciding") connection.refuse(Refusal.of("NOT_SIGNED_IN"));
        connection.end(code, reason);
      } catch (error) {
        this.#log.error("a connection could not be ended", { connection: connection.id, error });
      }
    }
  }
}
