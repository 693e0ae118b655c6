/** Where data is kept, and how messages travel. */
import process from "node:process";
import type { KeyValue } from "@sluice/sluice/kv";
import { type ChannelLayer, MemoryChannelLayer } from "@sluice/sluice/layers";
import { openEmbedded } from "./runtime.ts";

/** Opens PostgreSQL if `DATABASE_URL` names one, and otherwise a file in `data/`. */
export async function openDatabase(): Promise<KeyValue> {
  const { DATABASE_URL: url = "" } = process.env;
  if (url === "") return await openEmbedded();
  const { PostgresKeyValue } = await import("@sluice/sluice/kv/postgres");
  return new PostgresKeyValue(url);
}

/** Returns a layer over Redis if `REDIS_URL` is set: several processes then share their rooms. */
export async function openChannels(): Promise<ChannelLayer> {
  const { REDIS_URL: url = "" } = process.env;
  if (url === "") return new MemoryChannelLayer();
  const { RedisChannelLayer } = await import("@sluice/sluice/layers/redis");
  return new RedisChannelLayer(url);
}
