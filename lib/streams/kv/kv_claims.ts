import type { KeyValue, KvKey, KvResult } from "../../kv/mod.ts";
import { CLAIM_MS, type StreamSettings } from "../stream_options.ts";
import type { Claim } from "../stream_store.ts";

/** A stored claim of a command. Times are in milliseconds since the epoch. */
interface KvClaim {
  /** The caller that runs the command; undefined once it is settled. */
  readonly token?: string;
  readonly outcome?: unknown;
  /** Until when the claim holds. */
  readonly until: number;
  readonly expiresAt: number;
}

/** Claims of commands in a {@linkcode KeyValue} database. */
export class KvClaims {
  readonly #kv: KeyValue;
  readonly #prefix: string;
  readonly #settings: StreamSettings;

  constructor(kv: KeyValue, prefix: string, settings: StreamSettings) {
    this.#kv = kv;
    this.#prefix = prefix;
    this.#settings = settings;
  }

  async claim(key: string): Promise<Claim> {
    while (true) {
      const found = await this.#kv.get<KvClaim>(this.#keyOf(key));
      const known = this.#current(found);
      if (known !== undefined) return this.#stateOf(known);
      const token = crypto.randomUUID();
      const now = this.#now;
      const expiresAt = now + this.#settings.keyWindowMs;
      if (await this.#store(found, { token, until: now + CLAIM_MS, expiresAt })) {
        return { state: "claimed", token };
      }
    }
  }

  renew(key: string, token: string): Promise<boolean> {
    return this.#change(key, token, (claim) => ({ ...claim, until: this.#now + CLAIM_MS }));
  }

  settle(key: string, token: string, outcome: unknown): Promise<boolean> {
    return this.#change(key, token, ({ until, expiresAt }) => ({ outcome, until, expiresAt }));
  }

  async release(key: string, token: string): Promise<void> {
    await this.#change(key, token, () => undefined);
  }

  async #change(
    key: string,
    token: string,
    change: (claim: KvClaim) => KvClaim | undefined,
  ): Promise<boolean> {
    while (true) {
      const found = await this.#kv.get<KvClaim>(this.#keyOf(key));
      const known = this.#current(found);
      if (known?.token !== token || known.until <= this.#now) return false;
      if (await this.#store(found, change(known))) return true;
    }
  }

  async #store(found: KvResult<KvClaim>, claim: KvClaim | undefined): Promise<boolean> {
    const operation = this.#kv.atomic().check(found);
    if (claim === undefined) operation.delete(found.key);
    else {
      const expireInMs = Math.max(1, claim.expiresAt - this.#now);
      operation.set(found.key, claim, { expireInMs });
    }
    return (await operation.commit()).ok;
  }

  #current({ value }: KvResult<KvClaim>): KvClaim | undefined {
    return value !== undefined && value.expiresAt > this.#now ? value : undefined;
  }

  #stateOf({ token, outcome, until }: KvClaim): Claim {
    if (token === undefined) return { state: "settled", outcome };
    return { state: until > this.#now ? "running" : "unknown" };
  }

  #keyOf(key: string): KvKey {
    return [this.#prefix, "claim", key];
  }

  get #now(): number {
    return this.#settings.clock.now();
  }
}
