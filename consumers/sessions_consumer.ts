import type { SignedInScope } from "@sluice/sluice/auth";
import { type HandlersOf, JsonConsumer } from "@sluice/sluice/consumers";
import { type SessionsMessages, sessionsMessages, type SessionView } from "./sessions_messages.ts";

/** What the sessions page's socket is made of. */
export interface SessionsParts {
  /** Returns the sessions of whoever a scope belongs to. */
  readonly list: (scope: SignedInScope) => Promise<readonly SessionView[]>;
  /** Calls back when something may have changed for a person; returns how to stop. */
  readonly watch: (userId: string, changed: () => void) => Promise<() => void>;
}

/** How long changes are gathered before the list is read again, in milliseconds. */
const GATHER_MS = 150;

/** When it is read once more: what other processes count is known by then. */
const AGAIN_MS = 1_500;

/** Keeps the page that says where somebody is signed in up to date. */
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

  /** Reads the list in `ms` milliseconds: once, however many changes come until then. */
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
