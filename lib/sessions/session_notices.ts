import { internalsOf } from "../internals.ts";
import type { Clock, LayerMessage, Log, Middleware, Scope } from "../scope.ts";
import type { GroupLayer } from "./control_group.ts";
import type { Sessions } from "./sessions.ts";

/** The type of the messages. */
const TYPE = "changed";

/** The group of the processes that have a sessions page open. */
const GROUP = "sluice.notices";

/** How long changes are gathered before they are told, in milliseconds. */
const TELL_MS = 100;

/** Most people that one message names. */
const MAX_NAMES = 500;

/** What {@linkcode SessionNotices} needs. */
export interface SessionNoticesOptions {
  readonly layer: GroupLayer;
  readonly log: Log;
  readonly clock: Clock;
}

/** What tells of sign-ins. An `Audit` does. */
export interface SignInSource {
  subscribe(
    listener: (event: { readonly kind: string; readonly userId?: string | undefined }) => void,
  ): unknown;
}

/**
 * Tells people's open sessions pages that something has changed, on every process.
 *
 * A process says whose sessions and sockets changed, ten times a second at most, and only processes with
 * such a page open hear it: so what a socket costs does not depend on whether somebody looks.
 */
export class SessionNotices {
  readonly #layer: GroupLayer;
  readonly #options: SessionNoticesOptions;
  readonly #changed = new Set<string>();
  readonly #watchers = new Map<string, Set<() => void>>();
  #cancel: (() => void) | undefined;
  #leave: (() => void) | undefined;
  #listening: Promise<void> | undefined;

  constructor(options: SessionNoticesOptions) {
    this.#layer = internalsOf(options.layer);
    this.#options = options;
  }

  /** Tells them. A page that misses it is right again at the next change. */
  tell(userId: string): void {
    this.#changed.add(userId);
    this.#cancel ??= this.#options.clock.after(TELL_MS, () => this.#send());
  }

  /**
   * Calls `changed` whenever something may have changed for a person. Returns how to stop.
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

  /** Tells them of every sign-in, and of every end of a session, here or in another process. */
  follow(sessions: Sessions, audit: SignInSource): void {
    audit.subscribe(({ kind, userId }) => {
      if (kind === "signed-in" && userId !== undefined) this.tell(userId);
    });
    sessions.subscribe((event) => {
      if (event.type === "ended") this.tell(event.userId);
    });
  }

  /** Called by the layer. What is no list of user ids is ignored. */
  deliver({ type, data }: LayerMessage): boolean {
    if (type !== TYPE || !Array.isArray(data)) return true;
    for (const userId of data.slice(0, MAX_NAMES)) this.#call(this.#watchers.get(userId));
    return true;
  }

  /** Called by the layer: what changed meanwhile was not told. */
  gap(): void {
    for (const watchers of this.#watchers.values()) this.#call(watchers);
  }

  /** Tells nobody any more. */
  close(): void {
    this.#cancel?.();
    this.#stopListening();
  }

  #call(watchers: Iterable<() => void> = []): void {
    for (const changed of watchers) {
      try {
        changed();
      } catch (error) {
        this.#options.log.error("A sessions page could not be told of a change", { error });
      }
    }
  }

  /** Joins once, however many begin to watch at once. */
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
    const { log } = this.#options;
    this.#cancel = undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    for (let at = 0; at < changed.length; at += MAX_NAMES) {
      const data = changed.slice(at, at + MAX_NAMES);
      this.#layer.groupSend(GROUP, { type: TYPE, data }).catch((error) => {
        log.debug("Sessions pages were not told of a change", { error });
      });
    }
  }
}

/** A middleware that tells open sessions pages of every socket that opens or ends. */
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
