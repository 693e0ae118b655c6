import type { Clock } from "../../core/clock.ts";
import { type KeyValue, listAll } from "../../kv/mod.ts";
import { retryConflicts } from "../../kv/atomic_operation.ts";
import type { SessionStore } from "../session_store.ts";
import type { TagKey } from "./tag_keys.ts";

/** The state of the store when the first key was created. */
interface Beginning {
  readonly at: number;
  readonly hadSessions: boolean;
}

const BEGINNING_KEY = ["session_tags_began"];

/**
 * Stores the keys that tag session tokens in a database: `["session_tag_keys", period]` is a key,
 * `["session_tags_began"]` holds the time of the first one.
 */
export class KvTagKeys {
  readonly #kv: KeyValue;
  readonly #clock: Clock;

  constructor(kv: KeyValue, clock: Clock) {
    this.#kv = kv;
    this.#clock = clock;
  }

  /** See `SessionStore.addTagKey()`. */
  add({ period, secret }: TagKey, forgetAt: number): Promise<Uint8Array> {
    const expireInMs = Math.max(1, forgetAt - this.#clock.now());
    return retryConflicts("add a key", async () => {
      const entry = await this.#kv.get<Uint8Array>(["session_tag_keys", period]);
      if (entry.value !== undefined) return { result: entry.value };
      const began = await this.#kv.get<Beginning>(BEGINNING_KEY);
      const operation = this.#kv.atomic().check(entry, began)
        .set(entry.key, secret, { expireInMs });
      if (began.value === undefined) operation.set(began.key, await this.#beginning());
      return { result: secret, operation };
    });
  }

  /** See `SessionStore.tagKeys()`. */
  async list(): ReturnType<SessionStore["tagKeys"]> {
    const began = (await this.#kv.get<Beginning>(BEGINNING_KEY)).value;
    const entries = listAll<Uint8Array>(this.#kv, { prefix: ["session_tag_keys"] });
    const keys = await Array.fromAsync(entries, ({ key, value }): TagKey => {
      return { period: Number(key[1]), secret: value };
    });
    return { keys, untaggedSince: began?.hadSessions ? began.at : undefined };
  }

  async #beginning(): Promise<Beginning> {
    const { entries } = await this.#kv.list({ prefix: ["sessions"] }, { limit: 1 });
    return { at: this.#clock.now(), hadSessions: entries.length > 0 };
  }
}
