import { type HandlersOf, JsonConsumer, type SignedInScope } from "@sluice/sluice";
import { type SessionsMessages, sessionsMessages, type SessionView } from "./sessions_messages.ts";

/** The services that {@linkcode SessionsConsumer} uses. */
export interface SessionsParts {
  /** Returns the sessions of a scope's user. */
  readonly list: (scope: SignedInScope) => Promise<readonly SessionView[]>;
  /** Calls `changed` when a user's sessions may have changed; returns a function that stops it. */
  readonly watch: (userId: string, changed: () => void) => Promise<() => void>;
}

/** How long changes are collected before the list is read again, in milliseconds. */
const GATHER_MS = 150;

/**
 * Delay before the list is read once more, in milliseconds: the counts of other processes are known
 * by then.
 */
const AGAIN_MS = 1_500;

/** Keeps a user's sessions page current. */
export class SessionsConsumer extends JsonConsumer<SessionsMessages, SignedInScope> {
  readonly messages = sessionsMessages;
  readonly handlers: HandlersOf<SessionsConsumer> = {};
  readonly #parts: SessionsParts;
  readonly #waiting = new Set<number>();

  constructor(scope: SignedInScope, parts: SessionsParts) {
    super(scope);
    this.#parts = parts;
  }

  override async connect(): Promise<void> {
    await this.accept();
    const { connection, user } = this.scope;
    connection.onEnd(
      await this.#parts.watch(user.id, () => {
        this.#tellIn(GATHER_MS);
        this.#tellIn(AGAIN_MS);
      }),
    );
    await this.#tell();
  }

  /** Reads the list in `ms` milliseconds: once, regardless of the number of changes until then. */
  #tellIn(ms: number): void {
    if (this.#waiting.has(ms)) return;
    this.#waiting.add(ms);
    this.scope.connection.after(ms, () => {
      this.#waiting.delete(ms);
      return this.#tell();
    });
  }

  async #tell(): Promise<void> {
    this.sendJson({ type: "sessions", data: { sessions: await this.#parts.list(this.scope) } });
  }
}
