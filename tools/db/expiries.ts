import { stat } from "node:fs/promises";
// @ts-types="@types/pg"
import pg from "pg";
import { keyText } from "../../lib/kv/format/key_codec.ts";

/** When entries expire, in milliseconds since the epoch, by the text of their encoded keys. */
export type Expiries = ReadonlyMap<string, number>;

/**
 * Reads when the entries of a database expire, which `KeyValue` does not tell.
 *
 * Deno KV encodes keys as our drivers do. A remote Deno KV does not tell either: its entries then
 * become permanent, and are removed only when they are replaced.
 */
export async function readExpiries(address: string): Promise<Expiries> {
  if (/^postgres(ql)?:/.test(address)) return await readPostgres(address);
  if (address.startsWith("sqlite:")) {
    return await readFile(address.slice("sqlite:".length), "key, expires_at AS at FROM sluice_kv");
  }
  return await readFile(address, "k AS key, expiration_ms AS at FROM kv");
}

async function readFile(path: string, columns: string): Promise<Expiries> {
  if (!await stat(path).then((file) => file.isFile(), () => false)) return new Map();
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = db.prepare(`SELECT ${columns} WHERE at > 0`).all();
    return new Map(rows.map(({ key, at }) => [keyText(key as Uint8Array), Number(at)]));
  } finally {
    db.close();
  }
}

async function readPostgres(connectionString: string): Promise<Expiries> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    // Relative to the server's clock, which the entries follow.
    const { rows } = await client.query(`
      SELECT key, (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::bigint AS left
      FROM sluice_kv WHERE expires_at IS NOT NULL`);
    return new Map(rows.map(({ key, left }) => [keyText(key), Date.now() + Number(left)]));
  } finally {
    await client.end();
  }
}
