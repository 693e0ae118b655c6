import { BusChannelLayer } from "../bus/bus_channel_layer.ts";
import type { KeyValue } from "../../kv/mod.ts";
import { KvAccess } from "./kv_access.ts";
import { KvBus } from "./kv_bus.ts";
import { LayerCipher } from "../bus/layer_cipher.ts";
import { assertLayerPrefix } from "../input.ts";
import { type ChannelLayerOptions, layerSettings, positive } from "../layer_options.ts";

/** Options of {@linkcode KvChannelLayer}. */
export interface KvChannelLayerOptions extends ChannelLayerOptions {
  /**
   * Part of all keys, which begin with `layer.PREFIX`. Systems with different prefixes can share a
   * database. 1 to 100 letters, digits, `-`, `_`, `.`, and `:` between them. @default {"sluice"}
   */
  readonly prefix?: string;
  /** How long a database operation may take, in milliseconds. @default {2_000} */
  readonly timeoutMs?: number;
  /** Maximum number of bytes waiting to be written. @default {67_108_864} */
  readonly maxPendingBytes?: number;
  /** How often the database is polled while there is traffic, in milliseconds. @default {100} */
  readonly pollMs?: number;
  /** How long messages are kept for processes that lag behind, in milliseconds. @default {60_000} */
  readonly retentionMs?: number;
  /** How many messages are kept for processes that lag behind. @default {10_000} */
  readonly maxEntries?: number;
  /**
   * Secrets of 32 characters or more. If set, all messages are encrypted and authenticated: the first
   * key encrypts, all of them decrypt. Names and times stay readable.
   */
  readonly encryptionKeys?: readonly string[];
}

/**
 * Carries messages between processes through a database. See `docs/layer_spec.md` for its guarantees.
 *
 * The sender's process delivers a message as soon as it is written. Other processes deliver it when
 * the database wakes them: at once with PostgreSQL, within 25 ms with SQLite. With Deno KV they poll,
 * and deliver within `pollMs`, or within 1 s after ten quiet seconds. The layer connects at first use,
 * and tolerates a missing database. Closing the layer does not close the database.
 *
 * @example
 * ```ts
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 * import { KvChannelLayer } from "@sluice/sluice/layers/kv";
 * import assert from "node:assert/strict";
 *
 * await using kv = new MemoryKeyValue();
 * const layer = new KvChannelLayer(kv);
 * await layer.send("jobs", { type: "resize" });
 * assert.deepEqual(await layer.receive("jobs"), { type: "resize" });
 * await layer.close();
 * ```
 */
export class KvChannelLayer extends BusChannelLayer {
  /**
   * Creates a layer over a database, which opens at first use.
   *
   * @throws {TypeError} The prefix or a key is invalid.
   * @throws {RangeError} A number is out of range.
   */
  constructor(kv: KeyValue, options: KvChannelLayerOptions = {}) {
    const settings = layerSettings(options);
    const { clock } = settings;
    const { prefix = "sluice", encryptionKeys } = options;
    assertLayerPrefix(prefix);
    const timeoutMs = positive("timeoutMs", options.timeoutMs ?? 2_000);
    const access = new KvAccess(kv, { clock, timeoutMs });
    const busOptions = {
      access,
      kv,
      settings,
      clock,
      // The database has keys of other parts of an application, too.
      prefix: `layer.${prefix}`,
      cipher: encryptionKeys && new LayerCipher(encryptionKeys),
      retentionMs: positive("retentionMs", options.retentionMs ?? 60_000),
      maxEntries: positive("maxEntries", options.maxEntries ?? 10_000),
      maxPendingBytes: positive("maxPendingBytes", options.maxPendingBytes ?? 64 * 2 ** 20),
      pollMs: positive("pollMs", options.pollMs ?? 100),
    };
    super(settings, (context) => new KvBus(context, busOptions));
  }
}
