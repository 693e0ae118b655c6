import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { KvUserStore } from "@sluice/sluice/auth";
import type { KeyValue } from "@sluice/sluice/kv";
import { createSessions } from "@sluice/sluice/sessions";
import { openNamed } from "../../../tools/db/addresses.ts";
import { PostgresServer, whyNoPostgres } from "../../support/postgres/postgres_server.ts";

const COUNT = 300;
const log = { debug() {}, info() {}, warn() {}, error() {} };

/** Runs `deno task db` with arguments, and returns its output. */
async function db(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = ["run", "-A", "tools/db.ts", ...args];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: command,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function signIn(kv: KeyValue): Promise<string[]> {
  await using services = createSessions(kv, { log });
  const users = new KvUserStore(kv, { controlLog: services.controlLog });
  return await Promise.all(Array.from({ length: COUNT }, async (_, n) => {
    const profile = {
      provider: "dev",
      subject: `${n}`,
      login: `u${n}`,
      name: "",
      avatarUrl: undefined,
    };
    const { id } = await users.save(profile);
    return (await services.sessions.create({ userId: id, provider: "dev" })).token;
  }));
}

async function assertSignedIn(kv: KeyValue, tokens: readonly string[]): Promise<void> {
  await using services = createSessions(kv, { log });
  const users = new KvUserStore(kv, { controlLog: services.controlLog });
  for (const token of tokens) {
    const found = await services.sessions.find(token);
    assert.ok(found.state === "live");
    assert.ok(await users.get(found.session.userId));
  }
}

test("deno task db moves everything between Deno KV and SQLite, and everybody is still signed in", {
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-db-"));
  const [deno, sqlite, back] = [
    join(folder, "kv.sqlite3"),
    `sqlite:${join(folder, "db.sqlite")}`,
    join(folder, "back.sqlite3"),
  ];
  try {
    let tokens: string[] = [];
    {
      await using source = openNamed(deno, {});
      tokens = await signIn(source.kv);
      await source.kv.set(["soon"], 1, { expireInMs: 1 });
    }
    const moved = await db("move", deno, sqlite);
    assert.equal(moved.code, 0, moved.stderr);
    assert.match(moved.stdout, /300 {2}sessions\n/);
    assert.match(moved.stdout, /300 {2}users\n/);
    {
      await using target = openNamed(sqlite, {});
      await assertSignedIn(target.kv, tokens);
    }
    assert.equal((await db("move", sqlite, back)).code, 0);
    {
      await using target = openNamed(back, {});
      await assertSignedIn(target.kv, tokens);
    }
    const again = await db("move", deno, sqlite);
    assert.deepEqual([again.code, again.stderr], [1, "The target is not empty\n"]);
    assert.match((await db("show", back)).stdout, /300 {2}sessions_by_user\n/);
    const wrong = await db("move", deno, "mysql://u:s3cr3t@host/db");
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /^DATABASE_URL is "mysql:…"/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("deno task db moves everything to PostgreSQL and back, with its expiry", {
  skip: whyNoPostgres() ?? false,
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-db-"));
  const [from, back] = [join(folder, "kv.sqlite3"), `sqlite:${join(folder, "db.sqlite")}`];
  await using server = await PostgresServer.start();
  try {
    let tokens: string[] = [];
    {
      await using source = openNamed(from, {});
      tokens = await signIn(source.kv);
    }
    for (const [source, target] of [[from, server.url()], [server.url(), back]] as const) {
      const { code, stderr } = await db("move", source, target);
      assert.equal(code, 0, stderr);
      await using opened = openNamed(target, {});
      await assertSignedIn(opened.kv, tokens);
    }
    const [{ count }] = await server.query(
      "SELECT count(*)::int AS count FROM sluice_kv WHERE expires_at > now() + interval '1 day'",
    ) as [{ count: number }];
    assert.equal(count >= 2 * COUNT, true); // Sessions and the lists of users.
    assert.equal((await db("migrate", server.url())).code, 0);
  } finally {
    await rm(folder, { recursive: true });
  }
});
