import { Buffer } from "node:buffer";
import { stat } from "node:fs/promises";
// @ts-types="@types/pg"
import pg from "pg";
import { keyText } from "../../lib/kv/format/key_codec.ts";

/** When entries expire, in milliseconds since the epoch, by the text of their encoded keys. */
export type Expiries = ReadonlyMap<string, number>;

/** Tells when the entries of a database expire, which `KeyValue` does not. */
export interface ExpiryReader extends AsyncDisposable {
  /** Reads when some entries expire, by their encoded keys. */
  read(keys: readonly Uint8Array[]): Promise<Expiries>;
}

/**
 * Opens a database to read when its entries expire, a page at a time.
 *
 * Deno KV encodes keys as our drivers do. A remote Deno KV does not tell either: its entries then
 * become permanent, and are removed only when they are replaced.
 */
export async function openExpiries(address: string): Promise<ExpiryReader> {
  if (/^postgres(ql)?:/.test(address)) return await openPostgres(address);
  if (address.startsWith("sqlite:")) {
    const text = "SELECT expires_at AS at FROM sluice_kv WHERE key = ?";
    return await openFile(address.slice("sqlite:".length), text);
  }
  return await openFile(address, "SELECT expiration_ms AS at FROM kv WHERE k = ?");
}

async function openFile(path: string, text: string): Promise<ExpiryReader> {
  if (!await stat(path).then((file) => file.isFile(), () => false)) return NONE;
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(path, { readOnly: true });
  const statement = db.prepare(text);
  return {
    read(keys) {
      const found = keys.map((key) => [keyText(key), Number(statement.get(key)?.["at"])] as const);
      return Promise.resolve(new Map(found.filter(([, at]) => at > 0)));
    },
    [Symbol.asyncDispose]() {
      db.close();
      return Promise.resolve();
    },
  };
}

const NONE: ExpiryReader = {
  read: () => Promise.resolve(new Map()),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

async function openPostgres(connectionString: string): Promise<ExpiryReader> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return {
    async read(keys) {
      // Relative to the server's clock, which the entries follow.
      const { rows } = await client.query({
        name: "expiries",
        text:
          `SELECT key, (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::bigint AS left
          FROM sluice_kv WHERE key = ANY ($1::bytea[]) AND expires_at IS NOT NULL`,
        values: [keys.map((key) => Buffer.from(key))],
      });
      return new Map(rows.map(({ key, left }) => [keyText(key), Date.now() + Number(left)]));
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
