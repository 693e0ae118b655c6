import type { RedisOptions } from "ioredis";
import { isIP } from "node:net";
import type { RedisAccess, RedisAddress } from "./redis_address.ts";

/** Which Redis to connect to. */
export interface RedisServerOptions {
  readonly address: RedisAddress;
  readonly access: RedisAccess;
  /** The trusted certificate authorities, as PEM; by default, those that the runtime trusts. */
  readonly ca: string | undefined;
}

/** Returns the options of `ioredis` for one connection that is never repeated, and queues nothing. */
export function redisOptions({ address, access, ca }: RedisServerOptions) {
  const { tls, username = "default", password } = access;
  const servername = isIP(address.host) === 0 ? { servername: address.host } : {};
  return {
    ...address,
    ...(password === undefined ? {} : { username, password }),
    ...(tls ? { tls: { ...servername, ...(ca === undefined ? {} : { ca }) } } : {}),
    protocol: 3,
    lazyConnect: true,
    keepAlive: 5_000,
    connectTimeout: 0,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    disableClientInfo: true,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    retryStrategy: () => null,
  } satisfies RedisOptions;
}
