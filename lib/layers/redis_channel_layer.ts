/**
 * The channel layer of processes that share a Redis, a Redis Cluster or a Valkey, version 7 or later.
 *
 * @module
 */
import { BusChannelLayer } from "./bus_channel_layer.ts";
import { LayerCipher } from "./layer_cipher.ts";
import { type ChannelLayerOptions, layerSettings, positive } from "./layer_options.ts";
import { parseRedisUrl } from "./redis_address.ts";
import { RedisBus } from "./redis_bus.ts";
import { RedisKeys } from "./redis_keys.ts";

export { MIN_KEY_LENGTH } from "./layer_cipher.ts";
export {
  parseRedisUrl,
  type RedisAccess,
  type RedisAddress,
  type RedisTarget,
} from "./redis_address.ts";

/** Options of {@linkcode RedisChannelLayer}. */
export interface RedisChannelLayerOptions extends ChannelLayerOptions {
  /**
   * What all names in Redis begin with, followed by the number of the database: systems that differ in
   * one of them can share a Redis. 1 to 100 letters, digits, `-`, `_`, `.`, and `:` between them.
   * @default {"sluice"}
   */
  readonly prefix?: string;
  /**
   * The authorities whose certificates are taken, as PEM, in place of those that the runtime knows.
   * For `rediss://`.
   */
  readonly ca?: string;
  /** How long Redis may take to answer, in milliseconds. @default {2_000} */
  readonly timeoutMs?: number;
  /** Most bytes that are on their way to Redis. @default {67_108_864} */
  readonly maxPendingBytes?: number;
  /**
   * Secrets of 32 characters or more. With them, all messages are encrypted and authenticated: the first
   * one encrypts, all of them decrypt. Names and times stay readable.
   */
  readonly encryptionKeys?: readonly string[];
}

/**
 * Carries messages between processes that share a Redis. What it guarantees is in `docs/layer_spec.md`.
 *
 * Nothing happens before its first use, and it needs no Redis to be there: what cannot be done rejects
 * with `UNAVAILABLE`, at once or within `timeoutMs`, until Redis is back.
 *
 * A process listens once to each group that it has members of, and all of them get one message
 * object. A message comes back from Redis before it is delivered in the sender's process, so that
 * everybody sees the messages of a group in one order.
 *
 * @example
 * ```ts
 * import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
 * import assert from "node:assert/strict";
 *
 * const layer = new RedisChannelLayer("redis://127.0.0.1:1", { prefix: "chat" }); // nobody is there
 * await assert.rejects(layer.send("jobs", { type: "resize" }), { code: "UNAVAILABLE" });
 * await layer.close();
 * ```
 */
export class RedisChannelLayer extends BusChannelLayer {
  /**
   * @param url `redis://` or `rediss://` (TLS): `redis://user:password@host:6379/0`. Of a cluster, one
   * node or several: `redis://a:7000,b:7000`. That it is one is found out, and needs no other scheme.
   * @throws {TypeError} The address, prefix or a key cannot be used.
   * @throws {RangeError} A number cannot be used.
   */
  constructor(url: string, options: RedisChannelLayerOptions = {}) {
    const { addresses, access } = parseRedisUrl(url);
    const settings = layerSettings(options);
    const busOptions = {
      addresses,
      access,
      ca: options.ca,
      settings,
      clock: settings.clock,
      timeoutMs: positive("timeoutMs", options.timeoutMs ?? 2_000),
      maxPendingBytes: positive("maxPendingBytes", options.maxPendingBytes ?? 64 * 2 ** 20),
      keys: new RedisKeys(options.prefix ?? "sluice", access.database),
      cipher: options.encryptionKeys && new LayerCipher(options.encryptionKeys),
    };
    super(settings, (context) => new RedisBus(context, busOptions));
  }
}
