import { existsSync } from "node:fs";
import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { aptInstall } from "./apt.ts";
import { cacheDir, findProgram, run } from "./programs.ts";

/**
 * Returns the path of a `redis-server`: the one in `REDIS_SERVER`, an installed one, or the one that
 * {@linkcode provideRedis} installed. Tests start their own server on their own port.
 */
export function findRedis(): string | undefined {
  const named = process.env.REDIS_SERVER || findProgram("redis-server", "valkey-server");
  return named ?? (existsSync(cachedRedis()) ? cachedRedis() : undefined);
}

/**
 * Returns the path of a `redis-server` that starts: an installed one, otherwise Debian's.
 *
 * Debian's package `redis-server` would start a server on installation. The package `redis-tools` does
 * not, and its `redis-check-rdb` is the same program: it acts as the server under the server's name.
 *
 * @throws {Error} No server starts; the message contains the reason.
 */
export async function provideRedis(note: (text: string) => void): Promise<string> {
  const found = findRedis();
  if (found && await serves(found)) return found;
  note("Installing Redis with apt-get");
  const problem = await aptInstall("redis-tools");
  const program = findProgram("redis-check-rdb");
  if (!problem && program) {
    await mkdir(cacheDir(), { recursive: true });
    await rm(cachedRedis(), { force: true });
    await symlink(program, cachedRedis());
    if (await serves(cachedRedis())) return cachedRedis();
  }
  throw new Error(`no redis-server is installed; ${problem ?? "the Debian server does not start"}`);
}

function cachedRedis(): string {
  return join(cacheDir(), "redis-server");
}

async function serves(path: string): Promise<boolean> {
  const { success, output } = await run(path, ["--version"], { timeoutMs: 10_000 });
  return success && /server v=/.test(output);
}
