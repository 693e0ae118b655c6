/**
 * Creates users with one session each: `seed_sessions.ts FOLDER COUNT [ADDRESS]`. Writes them to a
 * database, by default `FOLDER/kv.sqlite3`, and the cookies to `FOLDER/cookies.txt`, one per line. Bare
 * Deno finds the same sessions under `["bench", token]`; `ws` with `pg` finds them in tables.
 *
 * @module
 */
import { createHash } from "node:crypto";
// @ts-types="@types/pg"
import pg from "pg";
import { KvUserStore } from "@sluice/sluice/auth";
import { openNamed } from "../../tools/db/addresses.ts";
import { Sessions } from "@sluice/sluice/sessions";
import { KvControlLog } from "../../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../../lib/sessions/kv_session_store.ts";

const AT_ONCE = 64;
const [folder, count, address = `${folder}/kv.sqlite3`] = Deno.args;

const log = { debug() {}, info() {}, warn() {}, error() {} };
const { kv } = openNamed(address, {});
const controlLog = new KvControlLog(kv);
const sessions = new Sessions(new KvSessionStore(kv, { controlLog }), { controlLog, log });
const users = new KvUserStore(kv, { controlLog });

const pool = address.startsWith("postgres:") ? await createTables(address) : undefined;
const cookies: string[] = [];
for (let made = 0; made < Number(count); made += AT_ONCE) {
  const some = Math.min(AT_ONCE, Number(count) - made);
  const tokens = await Promise.all(Array.from({ length: some }, (_, at) => signIn(made + at)));
  if (address.startsWith("postgres:")) await keepForPg(tokens);
  else await keepForBareDeno(tokens);
  cookies.push(...tokens.map((token) => `session=${token}\n`));
}
await Deno.writeTextFile(`${folder}/cookies.txt`, cookies.join(""));
await pool?.end();
Deno.exit();

async function signIn(serial: number): Promise<string> {
  const [login, name] = [`user${serial}`, `User ${serial}`];
  const profile = { provider: "dev", subject: login, login, name, avatarUrl: undefined };
  const { id: userId } = await users.save(profile);
  const { token } = await sessions.create({ userId, provider: "dev" });
  return token;
}

async function keepForBareDeno(tokens: readonly string[]): Promise<void> {
  const stored = await Promise.all(
    tokens.map((token) => kv.get(["sessions", token.split(".")[0]!])),
  );
  const all = kv.atomic();
  tokens.forEach((token, index) => all.set(["bench", token], stored[index]!.value));
  await all.commit();
}

/** Creates the tables of `ws_pg.mjs`. */
async function createTables(connectionString: string): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString });
  await pool.query(`
    CREATE TABLE bench_users (id serial PRIMARY KEY, login text NOT NULL, name text NOT NULL);
    CREATE TABLE bench_sessions (
      token_hash text PRIMARY KEY,
      user_id int NOT NULL REFERENCES bench_users,
      expires_at timestamptz NOT NULL
    )`);
  return pool;
}

async function keepForPg(tokens: readonly string[]): Promise<void> {
  const hashes = tokens.map((token) => createHash("sha256").update(token).digest("base64url"));
  await pool!.query(
    `WITH made AS (
      INSERT INTO bench_users (login, name)
      SELECT 'user' || n, 'User ' || n FROM generate_series(1, $2::int) AS n RETURNING id
    )
    INSERT INTO bench_sessions (token_hash, user_id, expires_at)
    SELECT hash, user_id, now() + interval '7 days'
    FROM unnest($1::text[]) WITH ORDINALITY AS hashes (hash, n)
    JOIN (SELECT id AS user_id, row_number() OVER () AS n FROM made) AS users USING (n)`,
    [hashes, tokens.length],
  );
}
