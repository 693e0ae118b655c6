/**
 * `deno task db move` with 100,000 sessions and users, from Deno KV to PostgreSQL and back: is
 * everybody still signed in? Prints the time and the most memory of each move.
 *
 * `deno task bench move [--sessions 100000] [--quick]`. Exits with status 1 if a count differs or a
 * session is not found.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { KvUserStore } from "@sluice/sluice/auth";
import type { KeyValue } from "@sluice/sluice/kv";
import { createSessions } from "@sluice/sluice/sessions";
import { PostgresServer } from "../../tests/support/postgres/postgres_server.ts";
import { openNamed } from "../../tools/db/addresses.ts";
import { providePostgres } from "../../tools/provide/postgres.ts";

const AT_ONCE = 64;
const { values } = parseArgs({
  args: Deno.args,
  options: { sessions: { type: "string" }, quick: { type: "boolean" } },
});
const count = Number(values.sessions ?? (values.quick ? 1_000 : 100_000));
const log = { debug() {}, info() {}, warn() {}, error() {} };

await providePostgres(console.error);
const folder = await Deno.makeTempDir({ prefix: "sluice-move-" });
await using server = await PostgresServer.start(["fsync=on"]);
try {
  const [source, back] = [`${folder}/kv.sqlite3`, `${folder}/back.sqlite3`];
  const tokens = await timed(`${count} sessions and users made`, () => signInAll(source));
  await move(source, server.url(), "Deno KV to PostgreSQL");
  await timed("all of them found in PostgreSQL", () => findAll(server.url(), tokens));
  await move(server.url(), back, "PostgreSQL to Deno KV");
  await timed("all of them found in Deno KV", () => findAll(back, tokens));
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function signInAll(address: string): Promise<string[]> {
  return await withStores(address, async ({ users, sessions }) => {
    return await inBatches(count, async (serial) => {
      const [login, name] = [`user${serial}`, `User ${serial}`];
      const profile = { provider: "dev", subject: login, login, name, avatarUrl: undefined };
      const { id: userId } = await users.save(profile);
      return (await sessions.create({ userId, provider: "dev" })).token;
    });
  });
}

async function findAll(address: string, tokens: readonly string[]): Promise<void> {
  await withStores(address, async ({ users, sessions }) => {
    await inBatches(tokens.length, async (serial) => {
      const found = await sessions.find(tokens[serial]);
      const user = found.state === "live" ? await users.get(found.session.userId) : undefined;
      if (user?.login !== `user${serial}`) throw new Error(`user${serial} is no longer signed in`);
    });
  });
}

type Stores = { users: KvUserStore; sessions: ReturnType<typeof createSessions>["sessions"] };

async function withStores<T>(address: string, use: (stores: Stores) => Promise<T>): Promise<T> {
  await using named = openNamed(address, {});
  const kv: KeyValue = named.kv;
  await using services = createSessions(kv, { log });
  const users = new KvUserStore(kv, { controlLog: services.controlLog });
  return await use({ users, sessions: services.sessions });
}

async function inBatches<T>(total: number, work: (serial: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let at = 0; at < total; at += AT_ONCE) {
    const size = Math.min(AT_ONCE, total - at);
    results.push(...await Promise.all(Array.from({ length: size }, (_, n) => work(at + n))));
  }
  return results;
}

/** Runs `deno task db move`, and watches its memory. */
async function move(from: string, to: string, what: string): Promise<void> {
  await timed(what, async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "tools/db.ts", "move", from, to],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    let peak = 0;
    const watch = setInterval(() => peak = Math.max(peak, peakOf(child.pid)), 50);
    const { success, stdout } = await child.output();
    clearInterval(watch);
    if (!success) throw new Error(`The move ended with an error: ${what}`);
    console.log(new TextDecoder().decode(stdout).trimEnd());
    console.log(`${(peak / 1024).toFixed(0)} MiB at most`);
  });
}

/** Returns the most memory that a process has used, in KiB. */
function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1]);
  } catch {
    return 0; // It has ended.
  }
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const since = performance.now();
  const result = await work();
  console.log(`${what}: ${((performance.now() - since) / 1000).toFixed(1)} s`);
  return result;
}
