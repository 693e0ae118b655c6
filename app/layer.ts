import { type ChannelLayer, MemoryChannelLayer } from "@sluice/sluice/layers";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import type { Database } from "./database.ts";
import type { Settings } from "./settings.ts";

/**
 * Creates the layer that `CHANNEL_LAYER` names. Nothing is opened before its first use, and it needs
 * nothing to be there: until then what is sent is refused with `UNAVAILABLE`.
 */
export function createLayer(settings: Settings, database: Database): ChannelLayer {
  const { channelLayer, kvPath } = settings;
  if (channelLayer === "memory:") return new MemoryChannelLayer();
  if (channelLayer !== "kv:") return new RedisChannelLayer(channelLayer);
  // In a file, `watch` sees only what its own process writes.
  const watch = kvPath === undefined || /^https?:/.test(kvPath);
  return new KvChannelLayer(database.source, { watch });
}
