import type { KeyValue, KvKey } from "../../kv/mod.ts";

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
 * Storage adapter of oidc-provider for one model, over a database: `["dev_identity", key]`.
 * oidc-provider checks expiry itself.
 *
 * Entries of a revoked grant are no longer found.
 */
export class DevAdapter {
  readonly #kv: KeyValue;
  readonly #prefix: string;

  constructor(kv: KeyValue, prefix: string) {
    this.#kv = kv;
    this.#prefix = prefix;
  }

  async upsert(id: string, payload: Payload, expiresIn = MAX_TTL_SECONDS): Promise<void> {
    const options = { expireInMs: Math.max(1, 1000 * expiresIn) };
    await this.#kv.set(this.#key(id), payload, options);
    if (payload.uid !== undefined) await this.#kv.set(this.#uidKey(payload.uid), id, options);
  }

  async find(id: string): Promise<Payload | undefined> {
    const { value: payload } = await this.#kv.get<Payload>(this.#key(id));
    const grantId = payload?.grantId;
    if (grantId === undefined) return payload;
    const revoked = await this.#kv.get(this.#revokedKey(grantId));
    return revoked.version === null ? payload : undefined;
  }

  async findByUid(uid: string): Promise<Payload | undefined> {
    const { value: id } = await this.#kv.get(this.#uidKey(uid));
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
    await this.#kv.delete(this.#key(id));
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    const options = { expireInMs: 1000 * MAX_TTL_SECONDS };
    await this.#kv.set(this.#revokedKey(grantId), true, options);
  }

  #key(id: string): KvKey {
    return ["dev_identity", `${this.#prefix} ${id}`];
  }

  #uidKey(uid: string): KvKey {
    return ["dev_identity", `${this.#prefix} uid ${uid}`];
  }

  #revokedKey(grantId: string): KvKey {
    return ["dev_identity", `${this.#prefix} revoked ${grantId}`];
  }
}
