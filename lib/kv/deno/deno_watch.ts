import type { Clock } from "../../core/clock.ts";
import type { ChangeListeners } from "../base_key_value.ts";

/** The pause before the watch is started again, in milliseconds. */
const RETRY_MS = 1_000;

/** Returns the key that is written with each commit that notifies a topic. */
export function wakeKey(topic: string): Deno.KvKey {
  return ["sluice_wake", topic];
}

/** Parts of a {@linkcode DenoWatch}. */
export interface DenoWatchOptions {
  /** Opens the database. */
  open(): Promise<Deno.Kv>;
  /** The listeners to call. */
  readonly listeners: ChangeListeners;
  /** The clock of the pauses. */
  readonly clock: Clock;
}

/** Calls the listeners of a topic when another process has committed with it, until closed. */
export class DenoWatch {
  readonly #options: DenoWatchOptions;
  readonly #stops = new Map<string, () => void>();
  #isClosed = false;

  constructor(options: DenoWatchOptions) {
    this.#options = options;
    options.listeners.onTopic = (topic, isUsed) => {
      if (isUsed && !this.#isClosed) this.#stops.set(topic, this.#watch(topic));
      if (isUsed) return;
      this.#stops.get(topic)?.();
      this.#stops.delete(topic);
    };
  }

  /** Stops all watches. */
  close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops.values()) stop();
    this.#stops.clear();
    return Promise.resolve();
  }

  #watch(topic: string): () => void {
    const { clock, listeners, open } = this.#options;
    const stopping = new AbortController();
    const follow = async () => {
      const changes = (await open()).watch([wakeKey(topic)]).getReader();
      const cancel = () => void changes.cancel().catch(() => {});
      if (stopping.signal.aborted) return cancel();
      stopping.signal.addEventListener("abort", cancel);
      while (!(await changes.read()).done) listeners.call([topic]);
    };
    const again = () => {
      if (!stopping.signal.aborted) clock.after(RETRY_MS, run);
    };
    const run = () => {
      if (!stopping.signal.aborted) void follow().then(again, again).catch(() => {});
    };
    run();
    return () => stopping.abort();
  }
}
