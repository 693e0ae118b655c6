/** Where data is kept, and how messages travel. */
import type { KeyValue } from "@sluice/sluice/kv";
import { type ChannelLayer, MemoryChannelLayer } from "@sluice/sluice/layers";
import { openEmbedded } from "./runtime.ts";
import type { Settings } from "./settings.ts";

/** Opens PostgreSQL if `DATABASE_URL` names one, and otherwise a file in `data/`. */
export async function openDatabase({ databaseUrl }: Settings): Promise<KeyValue> {
  if (databaseUrl === undefined) return await openEmbedded();
  const { PostgresKeyValue } = await import("@sluice/sluice/kv/postgres");
  return new PostgresKeyValue(databaseUrl);
}

/** Returns a layer over Redis if `REDIS_URL` is set: several processes then share their rooms. */
export async function openChannels({ redisUrl }: Settings): Promise<ChannelLayer> {
  if (redisUrl === undefined) return new MemoryChannelLayer();
  const { RedisChannelLayer } = await import("@sluice/sluice/layers/redis");
  return new RedisChannelLayer(redisUrl);
}
