import { checkTopic } from "./format/limits.ts";

/** The listeners of one process, by topic. */
export class ChangeListeners {
  readonly #listeners = new Map<string, Set<() => void>>();
  /** Called when a topic gets its first listener, and when it has lost the last one. */
  onTopic: ((topic: string, isUsed: boolean) => void) | undefined;

  /** The topics that have listeners. */
  get topics(): readonly string[] {
    return [...this.#listeners.keys()];
  }

  /** Adds a listener, and returns a function that removes it. */
  add(topic: string, listener: () => void): () => void {
    const known = this.#listeners.get(checkTopic(topic));
    const listeners = known ?? new Set();
    const entry = () => listener(); // The same function can be added twice.
    listeners.add(entry);
    if (known === undefined) {
      this.#listeners.set(topic, listeners);
      this.onTopic?.(topic, true);
    }
    return () => {
      if (!listeners.delete(entry) || listeners.size > 0) return;
      this.#listeners.delete(topic);
      this.onTopic?.(topic, false);
    };
  }

  /** Calls the listeners of some topics. An error of a listener is its own. */
  call(topics: readonly string[] = this.topics): void {
    for (const topic of topics) {
      for (const listener of [...this.#listeners.get(topic) ?? []]) queueMicrotask(listener);
    }
  }
}
