import type { DevStore } from "./dev_store.ts";

/** Longest lifetime of any data of a development sign-in, in seconds. */
const MAX_TTL_SECONDS = 600;

/** The fields used here of what oidc-provider stores for a session, a code or a token. */
interface Payload {
  /** Expiry, in seconds since the epoch. */
  readonly exp?: number;
  /** A second identifier of a session. */
  readonly uid?: string;
  /** The grant (one sign-in) that it belongs to. */
  readonly grantId?: string;
  /** When it was used, in seconds since the epoch. */
  readonly consumed?: number;
}

/**
 * Storage adapter of oidc-provider for one model, over a {@linkcode DevStore}. oidc-provider checks
 * expiry itself.
 *
 * Entries of a revoked grant are no longer found.
 */
export class DevAdapter {
  readonly #store: DevStore;
  readonly #prefix: string;

  constructor(store: DevStore, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  async upsert(id: string, payload: Payload, expiresIn = MAX_TTL_SECONDS): Promise<void> {
    const options = { expireInMs: 1000 * expiresIn };
    await this.#store.set(this.#key(id), payload, options);
    if (payload.uid !== undefined) await this.#store.set(this.#uidKey(payload.uid), id, options);
  }

  async find(id: string): Promise<Payload | undefined> {
    const payload = await this.#store.get(this.#key(id)) as Payload | undefined;
    const grantId = payload?.grantId;
    if (grantId === undefined) return payload;
    return await this.#store.get(this.#revokedKey(grantId)) === undefined ? payload : undefined;
  }

  async findByUid(uid: string): Promise<Payload | undefined> {
    const id = await this.#store.get(this.#uidKey(uid));
    return typeof id === "string" ? await this.find(id) : undefined;
  }

  findByUserCode(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async consume(id: string): Promise<void> {
    const payload = await this.find(id);
    if (payload === undefined) return;
    const now = Math.floor(Date.now() / 1000);
    const left = Math.max(1, (payload.exp ?? now + MAX_TTL_SECONDS) - now);
    await this.upsert(id, { ...payload, consumed: now }, left);
  }

  async destroy(id: string): Promise<void> {
    await this.#store.delete(this.#key(id));
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    const options = { expireInMs: 1000 * MAX_TTL_SECONDS };
    await this.#store.set(this.#revokedKey(grantId), true, options);
  }

  #key(id: string): string {
    return `${this.#prefix} ${id}`;
  }

  #uidKey(uid: string): string {
    return `${this.#prefix} uid ${uid}`;
  }

  #revokedKey(grantId: string): string {
    return `${this.#prefix} revoked ${grantId}`;
  }
}
