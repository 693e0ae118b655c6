import type { Log } from "../scope.ts";
import type { Session } from "./session.ts";

/** Sessions that are remembered to have been told of. */
const MAX_REMEMBERED = 10_000;

/** Tells that a session's lifetime is over: of each once in this process, as far as it remembers. */
export class NotedExpiries {
  readonly #listeners = new Set<(session: Session) => void>();
  readonly #noted = new Set<string>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Calls back with every session whose end is noticed. Returns how to stop it. */
  subscribe(listener: (session: Session) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Takes note that a session is over. */
  note(session: Session): void {
    if (this.#noted.has(session.id)) return;
    if (this.#noted.size >= MAX_REMEMBERED) this.#noted.clear();
    this.#noted.add(session.id);
    for (const listener of this.#listeners) {
      try {
        listener(session);
      } catch (error) {
        this.#log.error("a listener for expired sessions failed", { session: session.id, error });
      }
    }
  }
}
