import { parseRedisUrl } from "@sluice/sluice/layers/redis";
import { type Environment, SettingError, text } from "./settings_parsers.ts";

/** Reads what carries messages between processes. */
export function readChannelLayer(env: Environment): string {
  const layer = text(env, "CHANNEL_LAYER") ?? "memory:";
  if (layer === "memory:" || layer === "kv:") return layer;
  try {
    parseRedisUrl(layer);
    return layer;
  } catch {
    throw new SettingError(
      "CHANNEL_LAYER",
      `is ${JSON.stringify(layer.replace(/^([a-z]*:(?:\/\/)?).*@/i, "$1…@"))}, ` +
        "but accepts memory:, kv:, redis://… or rediss://…, several hosts with commas",
    );
  }
}

/** Reads whose certificates are taken of a Redis with TLS. */
export function readRedisCaFile(env: Environment): string | undefined {
  const file = text(env, "REDIS_CA_FILE");
  if (file === undefined || readChannelLayer(env).startsWith("rediss:")) return file;
  throw new SettingError("REDIS_CA_FILE", "is set, but CHANNEL_LAYER is not rediss://…: set both");
}
