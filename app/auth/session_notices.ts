import type { LayerMessage, Middleware, Scope, Sessions } from "@sluice/sluice";
import type { Audit } from "@sluice/sluice/auth";
import type { ChannelLayer } from "@sluice/sluice/layers";
import { type Clock, type Log } from "@sluice/sluice/server";

/** The type of the messages. */
const TYPE = "changed";

/** The group of processes with an open sessions page. */
const GROUP = "sessions.changed";

/** How long changes are collected before they are announced, in milliseconds. */
const TELL_MS = 100;

/** Most users in one message. */
const MAX_NAMES = 500;

/**
 * Notifies users' open sessions pages of changes, on every process.
 *
 * A process announces whose sessions and sockets changed, at most ten times a second, and only
 * processes with such a page open receive it: the cost of a socket does not depend on open pages.
 */
export class SessionNotices implements Disposable {
  readonly #layer: ChannelLayer;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #changed = new Set<string>();
  readonly #watchers = new Map<string, Set<() => void>>();
  #cancel: (() => void) | undefined;
  #leave: (() => void) | undefined;
  #listening: Promise<void> | undefined;

  /** Joins no group before the first page is open. The layer connects the processes. */
  constructor(layer: ChannelLayer, { log, clock }: { readonly log: Log; readonly clock: Clock }) {
    this.#layer = layer;
    this.#log = log;
    this.#clock = clock;
  }

  /** Notifies the pages of a user. A page that misses it is corrected by the next change. */
  tell(userId: string): void {
    this.#changed.add(userId);
    this.#cancel ??= this.#clock.after(TELL_MS, () => this.#send());
  }

  /**
   * Calls `changed` whenever a user's sessions may have changed. Returns a function that stops it.
   *
   * @throws {LayerError} `UNAVAILABLE`: the layer cannot be reached.
   */
  async watch(userId: string, changed: () => void): Promise<() => void> {
    const watchers = this.#watchers.get(userId) ?? new Set();
    this.#watchers.set(userId, watchers.add(changed));
    const stop = () => {
      watchers.delete(changed);
      if (watchers.size === 0 && this.#watchers.get(userId) === watchers) {
        this.#watchers.delete(userId);
      }
      if (this.#watchers.size === 0) this.#stopListening();
    };
    try {
      await this.#listen();
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }

  /** Notifies the pages of every sign-in and every end of a session, here or in another process. */
  follow(sessions: Sessions, audit: Audit): void {
    audit.subscribe(({ kind, userId }) => {
      if (kind === "signed-in" && userId !== undefined) this.tell(userId);
    });
    sessions.subscribe((event) => {
      if (event.type === "ended") this.tell(event.userId);
    });
  }

  /** Called by the layer. Ignores messages other than a list of user ids. */
  deliver({ type, data }: LayerMessage): boolean {
    if (type !== TYPE || !Array.isArray(data)) return true;
    for (const userId of data.slice(0, MAX_NAMES)) this.#call(this.#watchers.get(userId));
    return true;
  }

  /** Called by the layer: changes may have been missed. */
  gap(): void {
    for (const watchers of this.#watchers.values()) this.#call(watchers);
  }

  /** Stops sending and receiving notifications. */
  close(): void {
    this.#cancel?.();
    this.#stopListening();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #call(watchers: Iterable<() => void> = []): void {
    for (const changed of watchers) {
      try {
        changed();
      } catch (error) {
        this.#log.error("a sessions page could not be notified of a change", { error });
      }
    }
  }

  /** Joins the group once, even if several watchers start at the same time. */
  #listen(): Promise<void> {
    return this.#listening ??= this.#join();
  }

  async #join(): Promise<void> {
    const channel = this.#layer.newChannel();
    const leave = this.#leave = this.#layer.attach(channel, this);
    try {
      await this.#layer.groupAdd(GROUP, channel);
    } catch (error) {
      if (this.#leave === leave) this.#stopListening();
      throw error;
    }
  }

  #stopListening(): void {
    this.#leave?.();
    this.#leave = this.#listening = undefined;
  }

  #send(): void {
    this.#cancel = undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    for (let at = 0; at < changed.length; at += MAX_NAMES) {
      const data = changed.slice(at, at + MAX_NAMES);
      this.#layer.groupSend(GROUP, { type: TYPE, data }).catch((error) => {
        this.#log.debug("sessions pages could not be notified of a change", { error });
      });
    }
  }
}

/**
 * A middleware that notifies open sessions pages of every socket that opens or ends.
 */
export function tellNotices(
  notices: SessionNotices,
): Middleware<Scope & { readonly user: { readonly id: string } }> {
  return (next) => (scope) => {
    const { connection, user } = scope;
    connection.onEnd(() => notices.tell(user.id));
    notices.tell(user.id);
    return next(scope);
  };
}
