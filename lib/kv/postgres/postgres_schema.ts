import type { PoolClient } from "pg";

/** Locks the schema while it is migrated: an advisory lock of the database. */
const MIGRATION_LOCK = "SELECT pg_advisory_xact_lock(1936485220)";

/** The first number of the advisory locks of keys. */
const KEY_LOCKS = 1936485221;

/**
 * The migrations, in order. Never change one that was released: add another.
 *
 * All commits lock the keys that they use, in one order, so that they can neither deadlock nor see a
 * key that another one is about to change. Each statement of the function sees what was committed
 * before it began, which needs READ COMMITTED. The version is drawn when the locks are held, so that
 * the versions of a key grow.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE sluice_kv (
    key bytea PRIMARY KEY,
    value text NOT NULL,
    version bigint NOT NULL,
    expires_at timestamptz
  );
  CREATE INDEX sluice_kv_expires_at ON sluice_kv (expires_at) WHERE expires_at IS NOT NULL;
  CREATE SEQUENCE sluice_kv_version;
  CREATE FUNCTION sluice_kv_commit(
    locks int[],
    check_keys bytea[], check_versions bigint[],
    set_keys bytea[], set_values text[], set_expiries bigint[],
    delete_keys bytea[]
  ) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    new_version bigint;
    lock_number int;
  BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
      RAISE EXCEPTION 'sluice_kv_commit needs READ COMMITTED';
    END IF;
    FOREACH lock_number IN ARRAY locks LOOP
      PERFORM pg_advisory_xact_lock(${KEY_LOCKS}, lock_number);
    END LOOP;
    IF EXISTS (
      SELECT FROM unnest(check_keys, check_versions) AS wanted (key, version)
      LEFT JOIN sluice_kv AS entry ON entry.key = wanted.key
        AND (entry.expires_at IS NULL OR entry.expires_at > clock_timestamp())
      WHERE entry.version IS DISTINCT FROM wanted.version
    ) THEN
      RETURN NULL;
    END IF;
    new_version := nextval('sluice_kv_version');
    DELETE FROM sluice_kv WHERE key = ANY (delete_keys);
    INSERT INTO sluice_kv (key, value, version, expires_at)
      SELECT written.key, written.value, new_version,
        clock_timestamp() + written.expiry * interval '1 millisecond'
      FROM unnest(set_keys, set_values, set_expiries) AS written (key, value, expiry)
      ORDER BY written.key
      ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version,
        expires_at = excluded.expires_at;
    RETURN new_version;
  END $$;
  `,
];

/**
 * Creates or migrates the table. Processes that start at the same time do it one after the other.
 *
 * @throws {Error} The table was made by a newer version.
 */
export async function migrate(client: PoolClient): Promise<void> {
  if (await versionOf(client) === MIGRATIONS.length) return;
  await client.query("BEGIN");
  try {
    await client.query(MIGRATION_LOCK);
    await client.query("CREATE TABLE IF NOT EXISTS sluice_kv_schema (version int PRIMARY KEY)");
    const known = await versionOf(client);
    if (known > MIGRATIONS.length) {
      throw new Error(
        `The tables have version ${known}, but this program knows ${MIGRATIONS.length}`,
      );
    }
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index < known) continue;
      await client.query(sql);
      await client.query("INSERT INTO sluice_kv_schema VALUES ($1)", [index + 1]);
    }
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

/** Returns the version of the tables; 0 if there are none. */
async function versionOf(client: PoolClient): Promise<number> {
  const table = await client.query("SELECT to_regclass('sluice_kv_schema') AS name");
  if (table.rows[0]?.name === null) return 0;
  const { rows } = await client.query("SELECT max(version) AS version FROM sluice_kv_schema");
  return Number(rows[0]?.version ?? 0);
}
