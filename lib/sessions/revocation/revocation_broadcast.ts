import { internalsOf } from "../../core/internals.ts";
import type { LayerMessage } from "../../core/consumer.ts";
import type { SessionEvent } from "../session.ts";
import type { Sessions } from "../sessions.ts";
import type { EndingEvent } from "./event_signatures.ts";

/**
 * The part of a channel layer that a {@linkcode RevocationBroadcast} uses.
 *
 * @internal
 */
export interface GroupLayer {
  /** Returns a new channel name of this process. */
  newChannel(prefix?: string): string;
  /** Delivers the messages of a channel. Returns a function that stops it. */
  attach(
    channel: string,
    mailbox: { deliver(message: LayerMessage): boolean; gap?(): void },
  ): () => void;
  /** Adds a channel to a group. */
  groupAdd(group: string, channel: string): Promise<void>;
  /** Sends to every channel of a group, except one. */
  groupSend(
    group: string,
    message: LayerMessage,
    options?: { except?: string },
  ): Promise<unknown>;
}

/** The group that carries session events between processes. */
const GROUP = "sluice.sessions";

/** The type of its messages. */
const TYPE = "sluice.session";

/**
 * Announces session events to other processes over a channel layer, for speed: they read the
 * control log within milliseconds instead of at the next poll.
 *
 * If a message is lost, late, or cannot be sent, its event is still in the control log; a duplicate
 * has no effect. If the database cannot be reached any more, the message alone ends the connections
 * of the session, so that a confirmed sign-out is complete within a second.
 *
 * *Security*: a message is a hint. It makes a process read the control log, or the store if there is
 * no log; their content ends connections. While they cannot be read, a message counts if it has a
 * signature, which needs a key of the database.
 *
 * @internal
 */
export class RevocationBroadcast {
  readonly #sessions: Sessions;
  readonly #layer: GroupLayer;
  #channel: string | undefined;
  #leave: (() => void) | undefined;

  /** Takes the sessions of this process, and the layer that connects it to others. */
  constructor(sessions: Sessions, layer: GroupLayer) {
    this.#sessions = sessions;
    this.#layer = internalsOf(layer);
  }

  /**
   * Starts announcing events, and receives them while connections are open. Returns a function that
   * stops both.
   */
  connect(): () => void {
    const unsubscribe = this.#sessions.events.subscribe((event) => this.#tell(event));
    const unfollow = this.#sessions.connections.followWith(this);
    return () => {
      unsubscribe();
      unfollow();
    };
  }

  /** Joins the group of all processes. No effect if joined. */
  start(): void {
    if (this.#leave !== undefined) return;
    const channel = this.#layer.newChannel(TYPE);
    this.#channel = channel;
    this.#sessions.events.signatures.prepare();
    this.#leave = this.#layer.attach(channel, { deliver: (message) => this.#hear(message) });
    this.#layer.groupAdd(GROUP, channel).catch((error) => this.#failed(error));
  }

  /** Leaves the group. */
  stop(): void {
    this.#leave?.();
    this.#leave = this.#channel = undefined;
  }

  #tell(event: SessionEvent): void {
    const data = isEnding(event)
      ? { ...event, signatures: this.#sessions.events.signatures.sign(event) }
      : event;
    const options = this.#channel === undefined ? {} : { except: this.#channel };
    this.#layer.groupSend(GROUP, { type: TYPE, data }, options)
      .catch((error) => this.#failed(error));
  }

  #hear({ type, data }: LayerMessage): boolean {
    try {
      if (type === TYPE && isSessionEvent(data)) void this.#hearEvent(data).catch(this.#broken);
    } catch (error) {
      this.#broken(error);
    }
    return true;
  }

  async #hearEvent(event: SessionEvent): Promise<void> {
    const { events } = this.#sessions;
    if (!isEnding(event)) return events.heard(event);
    const { signatures } = event as { readonly signatures?: unknown };
    const isSigned = signatures !== undefined && await events.signatures.verify(event, signatures);
    if (isSigned) events.heardSigned(event);
    else events.heard(event);
  }

  readonly #broken = (error: unknown): void => {
    this.#sessions.log.error("an event of another process could not be applied", { error });
  };

  #failed(error: unknown): void {
    this.#sessions.log.debug("session events cannot be sent over the channel layer", { error });
  }
}

/** Returns whether an event ends sessions. That of a user without a time would end later ones, too. */
function isEnding(event: SessionEvent): event is EndingEvent {
  return event.type === "ended" || (event.type === "user-ended" && event.at !== undefined);
}

/**
 * Returns whether `data` is an event that must be applied soon. A renewal can wait for the next
 * poll.
 */
function isSessionEvent(data: unknown): data is SessionEvent {
  if (typeof data !== "object" || data === null) return false;
  const { type, sessionId, userId, reason, at }: Partial<Record<string, unknown>> = { ...data };
  if (typeof userId !== "string") return false;
  if (type === "user-changed") return true;
  if (at !== undefined && typeof at !== "number") return false;
  if (typeof reason !== "string") return false;
  return type === "user-ended" || (type === "ended" && typeof sessionId === "string");
}
