import type { Log } from "../../core/log.ts";
import type { Session } from "../session.ts";

/** Most sessions remembered as reported. */
const MAX_REMEMBERED = 10_000;

/** Reports expired sessions: each once per process, as far as it remembers. */
export class NotedExpiries {
  readonly #listeners = new Set<(session: Session) => void>();
  readonly #noted = new Set<string>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Calls `listener` for every session found expired. Returns a function that unsubscribes. */
  subscribe(listener: (session: Session) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Reports a session as expired, unless it was reported before. */
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
