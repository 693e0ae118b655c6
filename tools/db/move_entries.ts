import { type AtomicOperation, type KeyValue, type KvEntry, listAll } from "@sluice/sluice/kv";
import { encodeKey, keyText } from "../../lib/kv/format/key_codec.ts";
import { copyValue } from "../../lib/kv/format/portable_value.ts";
import type { Expiries, ExpiryReader } from "./expiries.ts";

/** The number of entries for each first part of their keys. */
export type Counts = ReadonlyMap<string, number>;

/** Entries in one read. */
const PAGE_SIZE = 500;

/** Most entries, and bytes of values, in one commit. */
const BATCH_SIZE = 200;
const BATCH_BYTES = 400_000;

/** Entries that only running processes need: messages on their way, heartbeats, a test value. */
const TRANSIENT = /^(?:layer\..*|session_sockets|socket_processes|check|sluice_wake)$/;

/** Counts the entries of a database. */
export async function countEntries(kv: KeyValue): Promise<Counts> {
  const counts = new Map<string, number>();
  for await (const { key } of listAll(kv, { prefix: [] }, { pageSize: 1_000 })) {
    const kind = String(key[0]);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/**
 * Copies all entries to an empty database, except those that only running processes need and those
 * that have expired. Returns how many were copied. Memory does not grow with their number.
 *
 * @throws {Error} The target is not empty.
 */
export async function moveEntries(
  from: KeyValue,
  to: KeyValue,
  expiries: ExpiryReader,
): Promise<Counts> {
  if ((await to.list({ prefix: [] }, { limit: 1 })).entries.length > 0) {
    throw new Error("The target is not empty");
  }
  const counts = new Map<string, number>();
  const writer = new BatchWriter(to);
  for await (const entries of pagesOf(from)) {
    const kept = entries.filter(({ key }) => !TRANSIENT.test(String(key[0])));
    const expiry = await expiries.read(kept.map(({ key }) => encodeKey(key)));
    for (const entry of kept) {
      const expireInMs = expiryOf(entry, expiry);
      if ((expireInMs ?? 1) <= 0) continue;
      await writer.add(entry, expireInMs);
      const kind = String(entry.key[0]);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
  }
  await writer.flush();
  return counts;
}

async function* pagesOf(kv: KeyValue): AsyncGenerator<readonly KvEntry[]> {
  let cursor: string | undefined;
  do {
    const page = await kv.list({ prefix: [] }, { limit: PAGE_SIZE, cursor });
    yield page.entries;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** Writes entries in commits of a limited size. */
class BatchWriter {
  readonly #kv: KeyValue;
  #batch: AtomicOperation;
  #size = 0;
  #bytes = 0;

  constructor(kv: KeyValue) {
    this.#kv = kv;
    this.#batch = kv.atomic();
  }

  async add({ key, value }: KvEntry, expireInMs: number | undefined): Promise<void> {
    this.#batch.set(key, value, { expireInMs });
    this.#size++;
    this.#bytes += copyValue(value).size;
    if (this.#size >= BATCH_SIZE || this.#bytes >= BATCH_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    await this.#batch.commit();
    this.#batch = this.#kv.atomic();
    this.#size = this.#bytes = 0;
  }
}

/** Returns the entries that are missing in a database, by the first part of their keys. */
export function missingIn(found: Counts, moved: Counts): Counts {
  const missing = [...moved].map(([kind, count]): [string, number] => {
    return [kind, count - (found.get(kind) ?? 0)];
  });
  return new Map(missing.filter(([, count]) => count !== 0));
}

function expiryOf({ key }: KvEntry, expiries: Expiries): number | undefined {
  const at = expiries.get(keyText(encodeKey(key)));
  return at === undefined ? undefined : at - Date.now();
}
