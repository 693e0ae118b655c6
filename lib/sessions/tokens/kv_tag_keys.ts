import type { Clock } from "../../core/clock.ts";
import type { KvConnection } from "../../kv/kv_connection.ts";
import type { StoredTagKeys, TagKey } from "./tag_keys.ts";

/** The state of the store when the first key was created. */
interface Beginning {
  readonly at: number;
  readonly hadSessions: boolean;
}

const BEGINNING_KEY: Deno.KvKey = ["session_tags_began"];

/** Most attempts to write a key that conflicts with other processes. */
const MAX_CONFLICTS = 20;

/**
 * Stores the keys that tag session tokens in Deno KV: `["session_tag_keys", period]` is a key,
 * `["session_tags_began"]` holds the time of the first one. Each atomic operation has two checks.
 */
export class KvTagKeys {
  readonly #kv: KvConnection;
  readonly #clock: Clock;

  constructor(kv: KvConnection, clock: Clock) {
    this.#kv = kv;
    this.#clock = clock;
  }

  /** See `SessionStore.addTagKey()`. */
  add({ period, secret }: TagKey, forgetAt: number): Promise<Uint8Array> {
    const expireIn = Math.max(1, Math.ceil(forgetAt - this.#clock.now()));
    return this.#kv.run(async (kv) => {
      for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
        const entry = await kv.get<Uint8Array>(["session_tag_keys", period]);
        if (entry.value !== null) return entry.value;
        const began = await kv.get<Beginning>(BEGINNING_KEY);
        const operation = kv.atomic().check(entry, began).set(entry.key, secret, { expireIn });
        if (began.value === null) operation.set(began.key, await this.#beginning(kv));
        if ((await operation.commit()).ok) return secret;
      }
      throw new Error(
        `Cannot add a key: ${MAX_CONFLICTS} attempts conflicted with other processes`,
      );
    });
  }

  /** See `SessionStore.tagKeys()`. */
  list(): Promise<StoredTagKeys> {
    return this.#kv.run(async (kv) => {
      const began = (await kv.get<Beginning>(BEGINNING_KEY)).value;
      const keys: TagKey[] = [];
      for await (const { key, value } of kv.list<Uint8Array>({ prefix: ["session_tag_keys"] })) {
        keys.push({ period: Number(key[1]), secret: value });
      }
      return { keys, untaggedSince: began?.hadSessions ? began.at : undefined };
    });
  }

  async #beginning(kv: Deno.Kv): Promise<Beginning> {
    const sessions = kv.list({ prefix: ["sessions"] }, { limit: 1 });
    const { done } = await sessions.next();
    return { at: this.#clock.now(), hadSessions: done !== true };
  }
}
