import { createHmac } from "node:crypto";
import type { LayerMessage } from "../../core/consumer.ts";
import { ProcessGroup, type ProcessLayer } from "../../cluster/process_group.ts";
import type { EndingEvent, SessionEvent } from "../session.ts";
import type { Sessions } from "../sessions.ts";
import { isSameText } from "../tokens/secrets.ts";
import type { TagKey } from "../tokens/session_tokens.ts";

/** The group that carries session events between processes, and the type of its messages. */
const MESSAGES = { group: "sluice.sessions", type: "sluice.session" };

/** Keys that sign an event: a process may not know that of today yet. */
const MAX_SIGNATURES = 2;

/**
 * Announces session events to other processes over a channel layer, for speed: they read the
 * control log within milliseconds instead of at the next poll.
 *
 * If a message is lost, late, or cannot be sent, its event is still in the control log; a duplicate
 * has no effect. If the database cannot be reached any more, the message alone ends the connections
 * of the session, so that a confirmed sign-out is complete within a second.
 *
 * *Security*: a message is a hint. It makes a process read the control log, or the store if there is
 * no log; their content ends connections. While they cannot be read, a message counts if it is signed
 * with a key of the session tokens, which processes with the same store share and keep in memory:
 * access to the channel layer is not enough. A repeated event has no effect: the id of a session is
 * never used again, and the event of a user concerns only sessions that are older than the event.
 *
 * @internal
 */
export class RevocationBroadcast {
  readonly #sessions: Sessions;
  readonly #layer: ProcessLayer;
  #group: ProcessGroup;

  /** Takes the sessions of this process, and the layer that connects it to others. */
  constructor(sessions: Sessions, layer: ProcessLayer) {
    this.#sessions = sessions;
    this.#layer = layer;
    this.#group = this.#newGroup();
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
    // Without keys, events are confirmed by the database alone.
    this.#sessions.tokens.prepare().catch(() => {});
    this.#group.joinSoon({ deliver: (message) => this.#hear(message) })
      .then((error) => error && this.#failed(error)).catch(() => {});
  }

  /** Leaves the group. */
  stop(): void {
    this.#group.leave();
    this.#group = this.#newGroup();
  }

  #newGroup(): ProcessGroup {
    return new ProcessGroup(this.#layer, { ...MESSAGES, clock: this.#sessions.events.clock });
  }

  #tell(event: SessionEvent): void {
    const message = isEnding(event) ? { ...event, signatures: this.#sign(event) } : event;
    this.#group.sendAll(message).catch((error) => this.#failed(error));
  }

  #hear({ type, data }: LayerMessage): boolean {
    if (type === MESSAGES.type && isSessionEvent(data)) {
      this.#hearEvent(data).catch((error) => {
        this.#sessions.log.error("an event of another process could not be applied", { error });
      });
    }
    return true;
  }

  async #hearEvent(event: SessionEvent & { readonly signatures?: unknown }): Promise<void> {
    const { signatures } = event;
    const isSigned = signatures !== undefined && isEnding(event) &&
      await this.#verify(event, signatures);
    this.#sessions.events.heard(event, isSigned ? event : undefined);
  }

  /** Signs an event with the newest keys. Reads nothing. */
  #sign(event: EndingEvent): string[] {
    const keys = this.#sessions.tokens.newestKeys(MAX_SIGNATURES);
    return keys.map((key) => signatureOf(event, key));
  }

  /** Returns whether a process with the same store has signed an event. Never rejects. */
  async #verify(event: EndingEvent, signatures: unknown): Promise<boolean> {
    const { tokens } = this.#sessions;
    const shown = readSignatures(signatures);
    for (const { period, signature } of shown) {
      const secret = tokens.knownKey(period);
      if (secret) return isSameText(signature, signatureOf(event, { period, secret }));
    }
    for (const { period, signature } of shown) {
      const secret = await Promise.resolve(tokens.findKey(period)).catch(() => undefined);
      if (secret) return isSameText(signature, signatureOf(event, { period, secret }));
    }
    return false;
  }

  #failed(error: unknown): void {
    this.#sessions.log.debug("session events cannot be sent over the channel layer", { error });
  }
}

function signatureOf(event: EndingEvent, { period, secret }: TagKey): string {
  const { type, userId, reason } = event;
  const subject = type === "ended" ? event.sessionId : event.at ?? null;
  const text = JSON.stringify([MESSAGES.type, type, userId, reason, subject]);
  return `${period}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

function readSignatures(value: unknown): { period: number; signature: string }[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_SIGNATURES)
    .filter((signature) => typeof signature === "string")
    .map((signature) => ({ period: parseInt(signature, 10), signature }))
    .filter(({ period }) => !Number.isNaN(period));
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
