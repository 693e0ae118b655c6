import { BusChannelLayer } from "../bus/bus_channel_layer.ts";
import { LayerCipher } from "../bus/layer_cipher.ts";
import { type ChannelLayerOptions, layerSettings, positive } from "../layer_options.ts";
import { parseRedisUrl } from "../../redis/redis_address.ts";
import { RedisBus } from "./redis_bus.ts";
import { RedisKeys } from "./redis_keys.ts";

/** Options of {@linkcode RedisChannelLayer}. */
export interface RedisChannelLayerOptions extends ChannelLayerOptions {
  /**
   * The prefix of all names in Redis; the database number follows. Systems that differ in either one
   * can share a Redis. 1 to 100 letters, digits, `-`, `_`, `.`, and `:` between them.
   * @default {"sluice"}
   */
  readonly prefix?: string;
  /**
   * The trusted certificate authorities, as PEM, instead of those that the runtime trusts. For
   * `rediss://`.
   */
  readonly ca?: string;
  /** How long Redis may take to reply, in milliseconds. @default {2_000} */
  readonly timeoutMs?: number;
  /** Maximum number of bytes sent to Redis without a reply yet. @default {67_108_864} */
  readonly maxPendingBytes?: number;
  /**
   * Secrets of 32 characters or more. If set, all messages are encrypted and authenticated: the first
   * key encrypts, all of them decrypt. Names and times stay readable.
   */
  readonly encryptionKeys?: readonly string[];
}

/**
 * Carries messages between processes that share a Redis. See `docs/layer_spec.md` for its guarantees.
 *
 * The layer connects at first use, and tolerates a missing Redis: until Redis is back, calls reject
 * with `UNAVAILABLE`, at once or within `timeoutMs`.
 *
 * A process subscribes once to each group that has local members, and they all get the same message
 * object. The sender's process delivers a message only after it has come back from Redis, so that all
 * members see the messages of a group in the same order.
 *
 * @example
 * ```ts
 * import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
 * import assert from "node:assert/strict";
 *
 * const layer = new RedisChannelLayer("redis://127.0.0.1:1", { prefix: "chat" }); // Not a Redis.
 * await assert.rejects(layer.send("jobs", { type: "resize" }), { code: "UNAVAILABLE" });
 * await layer.close();
 * ```
 */
export class RedisChannelLayer extends BusChannelLayer {
  /**
   * Creates a layer, which connects at first use.
   *
   * @param url `redis://` or `rediss://` (TLS): `redis://user:password@host:6379/0`. For a cluster, one
   * or several nodes: `redis://a:7000,b:7000`. Clusters are detected and need no other scheme.
   * @throws {TypeError} The address, prefix or a key is invalid.
   * @throws {RangeError} A number is out of range.
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
