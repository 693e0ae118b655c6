import { readFileSync } from "node:fs";
import { MemoryChannelLayer } from "@sluice/sluice";
import type { Log } from "@sluice/sluice/server";
import { type ChannelLayer, LayerError } from "@sluice/sluice/layers";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import type { Database } from "./database.ts";
import { SettingError, type Settings } from "./settings/settings.ts";

/**
 * Creates the layer that `CHANNEL_LAYER` names. It connects at first use, and starts without its
 * server: until the server can be reached, sends fail with `UNAVAILABLE`.
 *
 * @throws {SettingError} `REDIS_CA_FILE` is not a file with certificates.
 */
export function createLayer(settings: Settings, database: Database): ChannelLayer {
  const { channelLayer, channelPrefix, channelKeys, redisCaFile } = settings;
  const encryption = channelKeys === undefined ? {} : { encryptionKeys: channelKeys };
  if (channelLayer === "memory:") return new MemoryChannelLayer();
  if (channelLayer !== "kv:") {
    const ca = redisCaFile === undefined ? {} : { ca: readCa(redisCaFile) };
    return new RedisChannelLayer(channelLayer, { prefix: channelPrefix, ...encryption, ...ca });
  }
  const { kv, clock } = database;
  return new KvChannelLayer(kv, { prefix: channelPrefix, clock, ...encryption });
}

function readCa(file: string): string {
  try {
    const pem = readFileSync(file, "utf8");
    if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  } catch {
    // An unreadable file gets the same error as a wrong one.
  }
  throw new SettingError(
    "REDIS_CA_FILE",
    `is ${JSON.stringify(file)}, but accepts a file with certificates (PEM) that can be read`,
  );
}

/** Logs the reason if the layer cannot be used. */
export async function reportLayer(
  { layer, log }: { layer: ChannelLayer; log: Log },
): Promise<void> {
  try {
    await layer.check();
  } catch (error) {
    if (!(error instanceof LayerError) || error.code === "CLOSED") return;
    log.warn("The channel layer cannot be used; retrying automatically", { why: error.message });
  }
}
