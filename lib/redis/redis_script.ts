import { createHash } from "node:crypto";

/** A Lua script, which Redis runs atomically, and the hash by which Redis knows it. */
export interface RedisScript {
  readonly source: string;
  readonly sha: string;
}

/** Returns the script with a Lua source. */
export function redisScript(source: string): RedisScript {
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}
