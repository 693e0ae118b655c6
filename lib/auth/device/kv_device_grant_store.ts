import { type Clock, systemClock } from "../../core/clock.ts";
import { KvConnection, type KvSource } from "../../sessions/mod.ts";
import type { DeviceGrant, DeviceGrantStore } from "./device_grant.ts";

/** Most attempts of a change that conflicts with others. */
const MAX_CONFLICTS = 20;

/**
 * Stores device sign-ins in Deno KV: `["device_grants", key]` holds a grant, `["device_codes",
 * userCode]` its key. Each atomic operation has one check.
 *
 * @example
 * ```ts
 * import { KvDeviceGrantStore } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * using kv = await Deno.openKv(":memory:");
 * assert.equal(await new KvDeviceGrantStore(kv).findByUserCode("BCDF-GHJK"), undefined);
 * ```
 */
export class KvDeviceGrantStore implements DeviceGrantStore {
  readonly #kv: KvConnection;
  readonly #clock: Clock;

  /** @param source The database, or a function that opens it at first use. */
  constructor(source: KvSource, options: { clock?: Clock } = {}) {
    this.#kv = new KvConnection(source);
    this.#clock = options.clock ?? systemClock;
  }

  async create(grant: DeviceGrant): Promise<boolean> {
    const key = codeKey(grant.userCode);
    const expireIn = this.#expireIn(grant);
    const { ok } = await this.#kv.run((kv) =>
      kv.atomic().check({ key, versionstamp: null })
        .set(key, grant.key, { expireIn })
        .set(grantKey(grant.key), grant, { expireIn })
        .commit()
    );
    return ok;
  }

  get(key: string): Promise<DeviceGrant | undefined> {
    return this.#kv.run(async (kv) =>
      (await kv.get<DeviceGrant>(grantKey(key))).value ?? undefined
    );
  }

  findByUserCode(userCode: string): Promise<DeviceGrant | undefined> {
    return this.#kv.run(async (kv) => {
      const { value: key } = await kv.get<string>(codeKey(userCode));
      return key === null
        ? undefined
        : (await kv.get<DeviceGrant>(grantKey(key))).value ?? undefined;
    });
  }

  update(
    key: string,
    change: (grant: DeviceGrant) => DeviceGrant | "remove",
  ): Promise<DeviceGrant | undefined> {
    return this.#kv.run(async (kv) => {
      for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
        const entry = await kv.get<DeviceGrant>(grantKey(key));
        if (entry.versionstamp === null) return undefined;
        const changed = change(entry.value);
        if (changed === entry.value) return entry.value;
        const operation = kv.atomic().check(entry);
        if (changed === "remove") operation.delete(entry.key).delete(codeKey(entry.value.userCode));
        else operation.set(entry.key, changed, { expireIn: this.#expireIn(changed) });
        if ((await operation.commit()).ok) return entry.value;
      }
      throw new Error(
        `Cannot change a device sign-in: ${MAX_CONFLICTS} attempts conflicted with other writes`,
      );
    });
  }

  #expireIn({ expiresAt }: DeviceGrant): number {
    return Math.max(1, Math.ceil(expiresAt - this.#clock.now()));
  }
}

function grantKey(key: string): Deno.KvKey {
  return ["device_grants", key];
}

function codeKey(userCode: string): Deno.KvKey {
  return ["device_codes", userCode];
}
