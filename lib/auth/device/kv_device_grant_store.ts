import { type Clock, systemClock } from "../../core/clock.ts";
import type { KeyValue, KvKey } from "../../kv/mod.ts";
import { retryConflicts } from "../../kv/atomic_operation.ts";
import type { DeviceGrant } from "./device_grant.ts";

/**
 * Stores device sign-ins in a database: `["device_grants", key]` holds a grant, `["device_codes",
 * userCode]` its key.
 */
export class KvDeviceGrantStore {
  readonly #kv: KeyValue;
  readonly #clock: Clock;

  /**
   * Creates a store over a database.
   *
   * @param kv The database.
   */
  constructor(kv: KeyValue, options: { readonly clock?: Clock } = {}) {
    this.#kv = kv;
    this.#clock = options.clock ?? systemClock;
  }

  /** Stores a grant. Resolves to false if its user code is taken. */
  async create(grant: DeviceGrant): Promise<boolean> {
    const key = codeKey(grant.userCode);
    const expiry = this.#expiryOf(grant);
    const { ok } = await this.#kv.atomic()
      .check({ key, version: null })
      .set(key, grant.key, expiry)
      .set(grantKey(grant.key), grant, expiry)
      .commit();
    return ok;
  }

  /** Returns a grant by its key, even if it has expired. One read. */
  async get(key: string): Promise<DeviceGrant | undefined> {
    return (await this.#kv.get<DeviceGrant>(grantKey(key))).value;
  }

  /** Returns a grant by its user code, even if it has expired. */
  async findByUserCode(userCode: string): Promise<DeviceGrant | undefined> {
    const { value: key } = await this.#kv.get<string>(codeKey(userCode));
    return key === undefined ? undefined : await this.get(key);
  }

  /**
   * Changes a grant, or removes it if `change` returns `"remove"`. Returns the grant as it was
   * before. If `change` returns its argument, nothing is written.
   *
   * Atomic: `change` sees the latest version, and may be called again if another change came first.
   */
  update(
    key: string,
    change: (grant: DeviceGrant) => DeviceGrant | "remove",
  ): Promise<DeviceGrant | undefined> {
    return retryConflicts("change a device sign-in", async () => {
      const entry = await this.#kv.get<DeviceGrant>(grantKey(key));
      if (entry.value === undefined) return { result: undefined };
      const result = entry.value;
      const changed = change(result);
      if (changed === result) return { result };
      const operation = this.#kv.atomic().check(entry);
      if (changed === "remove") operation.delete(entry.key).delete(codeKey(result.userCode));
      else operation.set(entry.key, changed, this.#expiryOf(changed));
      return { result, operation };
    });
  }

  #expiryOf({ expiresAt }: DeviceGrant): { readonly expireInMs: number } {
    return { expireInMs: Math.max(1, expiresAt - this.#clock.now()) };
  }
}

function grantKey(key: string): KvKey {
  return ["device_grants", key];
}

function codeKey(userCode: string): KvKey {
  return ["device_codes", userCode];
}
