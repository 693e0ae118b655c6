import type { SignedInScope } from "@sluice/sluice/auth";
import { type EventHandlersOf, type HandlersOf, JsonConsumer } from "@sluice/sluice/consumers";
import type { LayerScope } from "@sluice/sluice/layers";
import { type SessionsMessages, sessionsMessages, type SessionView } from "./sessions_messages.ts";

/** What the sessions page's socket needs to know of a connection. */
export type SessionsScope = SignedInScope & LayerScope;

/** Returns the sessions of whoever a scope belongs to. */
export type ListSessions = (scope: SignedInScope) => Promise<readonly SessionView[]>;

/** How long changes are gathered before the list is read again, in milliseconds. */
const GATHER_MS = 150;

/** When it is read once more: what other processes count is known by then. */
const AGAIN_MS = 1_500;

/** The group that is told when something changes about where somebody is signed in. */
export function sessionsGroup(userId: string): string {
  return `sessions.${userId}`;
}

/** Keeps the page that says where somebody is signed in up to date. */
export class SessionsConsumer extends JsonConsumer<SessionsMessages, SessionsScope> {
  readonly messages = sessionsMessages;
  readonly handlers: HandlersOf<SessionsConsumer> = {};
  override readonly events = events;
  readonly #list: ListSessions;
  readonly #waiting = new Set<number>();

  constructor(scope: SessionsScope, list: ListSessions) {
    super(scope);
    this.#list = list;
  }

  override get groups(): readonly string[] {
    return [sessionsGroup(this.scope.user.id)];
  }

  override async connect(): Promise<void> {
    await this.accept();
    await this.tell();
  }

  /** What changed meanwhile was not told: so it is looked at. */
  override gap(): void {
    this.tellIn(GATHER_MS);
  }

  /** Reads the list in `ms` milliseconds: once, however many changes come until then. */
  tellIn(ms: number): void {
    if (this.#waiting.has(ms)) return;
    this.#waiting.add(ms);
    this.scope.connection.after(ms, () => {
      this.#waiting.delete(ms);
      return this.tell();
    });
  }

  async tell(): Promise<void> {
    this.sendJson({ type: "sessions", data: { sessions: await this.#list(this.scope) } });
  }
}

const events: EventHandlersOf<SessionsConsumer> = {
  changed() {
    this.tellIn(GATHER_MS);
    this.tellIn(AGAIN_MS);
  },
};
