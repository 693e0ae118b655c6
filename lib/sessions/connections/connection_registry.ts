import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { SmallSet } from "../../core/small_set.ts";
import { CloseCode, Refusal } from "../../protocol/mod.ts";
import type { FoundSession, Session, SessionEvent } from "../session.ts";
import { SessionRenewals, type SessionSource } from "./session_renewals.ts";
import {
  type RegistryEntry,
  type SessionSubscription,
  type SessionWatcher,
  type SubscribedConnection,
  subscriptionOf,
} from "./session_subscription.ts";

/** Receives events of other processes while there are connections. */
export interface Follower {
  /** Called when the first connection subscribes to a session. */
  start(): void;
  /** Called when there are no more such connections. */
  stop(): void;
}

type UserEnded = SessionEvent & { readonly type: "user-ended" };

/** Sessions per read when all are checked. */
const BATCH_SIZE = 100;

/**
 * The connection registry: maps each session to its connections in this process, so that they end
 * with it.
 *
 * An `ended` event ends all of them at once with 4401, a change of the session's user with 4403.
 */
export class ConnectionRegistry {
  readonly #sessions: SessionSource;
  readonly #log: Log;
  readonly #entries = new Map<string, RegistryEntry>();
  readonly #renewals: SessionRenewals;
  readonly #followers = new Set<Follower>();
  readonly #emptied = (entry: RegistryEntry) => this.#remove(entry);

  /** Creates an empty registry. */
  constructor(sessions: SessionSource, options: { clock: Clock; log: Log }) {
    this.#sessions = sessions;
    this.#log = options.log;
    this.#renewals = new SessionRenewals(sessions, options, {
      isCurrent: (entry) => this.#isCurrent(entry),
      expire: (entry) => this.#end(entry, "expired"),
      confirm: (entry) => this.#confirmAll([entry.id]),
    });
  }

  /** Subscribes a connection to its proved session until it ends, instead of an earlier session. */
  subscribe(sessionId: string, connection: SubscribedConnection): SessionSubscription {
    const subscription = this.claim(sessionId, connection);
    subscription.prove();
    return subscription;
  }

  /**
   * Subscribes a connection to a session that it has not proved yet.
   *
   * Call it *before* the session is read, so that its end meanwhile is not missed. It need not exist.
   *
   * *Security*: messages that the connection receives do not count as use of the session until it
   * is proved.
   */
  claim(sessionId: string, connection: SubscribedConnection): SessionSubscription {
    const subscription = subscriptionOf(connection);
    subscription.begin(this.#entries.get(sessionId) ?? this.#add(sessionId));
    return subscription;
  }

  /** Ends the subscription of a connection, so that it outlives its session. */
  unsubscribe(connection: SubscribedConnection): void {
    subscriptionOf(connection).release();
  }

  /** Tracks the lifetime of a session while connections are subscribed to it. */
  track(session: Session): void {
    const entry = this.#entries.get(session.id);
    if (!entry) return;
    const known = entry.session;
    if (known && known.userId !== session.userId) {
      return this.#end(entry, "another user", CloseCode.forbidden);
    }
    if (known && known.lastSeenAt > session.lastSeenAt) return;
    entry.session = session;
    if (!known || session.expiresAt < known.expiresAt) this.#renewals.schedule(entry, session);
    if (known && known.lastSeenAt !== session.lastSeenAt) {
      this.#tell(entry, (watcher) => watcher.sessionChanged?.(session));
    }
  }

  /** Applies an event of this or another process. */
  apply(event: SessionEvent): void {
    switch (event.type) {
      case "renewed":
        return this.track(event.session);
      case "ended":
        return this.#end(this.#entries.get(event.sessionId), event.reason);
      case "user-ended":
        return this.#endOfUser(event);
      case "user-changed":
        for (const entry of this.ofUser(event.userId)) this.#tellOfUser(entry);
    }
  }

  /**
   * Reads every session that has connections, in batches, and ends the connections of those that no
   * longer exist. Use it when events may have been missed.
   *
   * @throws {Error} The store cannot be reached: not every session was checked.
   */
  revalidate(): Promise<void> {
    return this.#confirmAll([...this.#entries.keys()]);
  }

  /**
   * Does the same as {@linkcode revalidate} for the sessions that an event is about.
   *
   * @throws {Error} The store cannot be reached.
   */
  async confirm(event: SessionEvent): Promise<void> {
    if (event.type === "renewed") return;
    const ids = event.type === "ended"
      ? [event.sessionId].filter((id) => this.#entries.has(id))
      : this.ofUser(event.userId).map(({ id }) => id);
    await this.#confirmAll(ids);
  }

  /** Runs a follower while there are connections. Returns a function that stops it for good. */
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

  /** Returns a session that has connections here, once one of them has proved it. */
  sessionOf(id: string): Session | undefined {
    return this.#entries.get(id)?.session;
  }

  /** Returns the entries of a user's sessions. */
  ofUser(userId: string): RegistryEntry[] {
    return [...this.#entries.values()].filter(({ session }) => session?.userId === userId);
  }

  /** Returns the number of open sockets of a session in this process. */
  count(sessionId: string): number {
    const subscriptions = [...this.#entries.get(sessionId)?.subscriptions ?? []];
    return subscriptions.filter(({ connection }) => connection.phase === "open").length;
  }

  #add(id: string): RegistryEntry {
    const entry: RegistryEntry = {
      id,
      subscriptions: new SmallSet(),
      session: undefined,
      seenAt: 0,
      checkAt: Infinity,
      emptied: this.#emptied,
    };
    this.#entries.set(id, entry);
    if (this.#entries.size === 1) this.#followers.forEach((follower) => follower.start());
    return entry;
  }

  async #confirmAll(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += BATCH_SIZE) {
      const batch = ids.slice(at, at + BATCH_SIZE);
      const found = await this.#sessions.findMany(batch);
      batch.forEach((id, index) => this.#confirm(id, found[index]!));
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

  /** Ends sessions older than the event; for later ones, the user is read again. */
  #endOfUser({ userId, reason, at = Infinity }: UserEnded): void {
    for (const entry of this.ofUser(userId)) {
      if (entry.session!.createdAt <= at) this.#end(entry, reason);
      else this.#tellOfUser(entry);
    }
  }

  #tellOfUser(entry: RegistryEntry): void {
    this.#tell(entry, (watcher) => watcher.userChanged?.());
  }

  #tell(entry: RegistryEntry, tell: (watcher: SessionWatcher) => void): void {
    for (const subscription of entry.subscriptions) {
      try {
        tell(subscription);
        for (const watcher of subscription.watchers) tell(watcher);
      } catch (error) {
        const { id } = subscription.connection;
        this.#log.error("a connection could not be notified", { connection: id, error });
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
    if (this.#entries.size === 0) this.#followers.forEach((follower) => follower.stop());
  }

  #end(
    entry: RegistryEntry | undefined,
    reason: string,
    code: CloseCode = CloseCode.sessionOver,
  ): void {
    if (entry === undefined) return;
    this.#delete(entry);
    for (const subscription of entry.subscriptions) subscription.over = true;
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
