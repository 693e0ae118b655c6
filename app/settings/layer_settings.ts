import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { type Environment, quoted, SettingError, text } from "./settings_parsers.ts";

/** The default prefix of a deployment. */
export const DEFAULT_PREFIX = "sluice";

/** For layers that only check other options. */
const SOME_URL = "redis://localhost";

/** Reads the channel layer, which carries messages between processes. */
export function readChannelLayer(env: Environment): string {
  const layer = text(env, "CHANNEL_LAYER") ?? "memory:";
  if (layer === "memory:" || layer === "kv:") return layer;
  if (isAccepted(layer)) return layer;
  throw new SettingError(
    "CHANNEL_LAYER",
    `is ${quoted(layer)}, ` +
      "but accepts memory:, kv:, redis://… or rediss://…, several hosts with commas",
  );
}

/** Reads the prefix that separates this deployment from others on the same Redis or database. */
export function readChannelPrefix(env: Environment): string {
  const prefix = text(env, "CHANNEL_PREFIX") ?? DEFAULT_PREFIX;
  if (isAccepted(SOME_URL, { prefix })) return prefix;
  throw new SettingError(
    "CHANNEL_PREFIX",
    `is ${quoted(prefix)}, but accepts 1 to 100 of letters, digits, ` +
      '"-", "_", "." and, between them, ":"',
  );
}

/** Reads the encryption keys of the layer. *Security*: errors do not contain them. */
export function readChannelKeys(env: Environment): readonly string[] | undefined {
  const value = text(env, "CHANNEL_KEYS");
  if (value === undefined) return undefined;
  const keys = value.split(",").map((key) => key.trim());
  if (isAccepted(SOME_URL, { encryptionKeys: keys })) return keys;
  throw new SettingError(
    "CHANNEL_KEYS",
    "has a key that is too short, but accepts keys of 32 characters or more, with commas",
  );
}

/** Reads the file of authorities whose certificates are accepted from a Redis with TLS. */
export function readRedisCaFile(env: Environment): string | undefined {
  const file = text(env, "REDIS_CA_FILE");
  if (file === undefined || readChannelLayer(env).startsWith("rediss:")) return file;
  throw new SettingError("REDIS_CA_FILE", "is set, but CHANNEL_LAYER is not rediss://…: set both");
}

/** A layer checks its options when it is created, and connects at first use. */
function isAccepted(...options: ConstructorParameters<typeof RedisChannelLayer>): boolean {
  try {
    new RedisChannelLayer(...options).close().catch(() => {}); // Nothing is connected yet.
    return true;
  } catch {
    return false;
  }
}
