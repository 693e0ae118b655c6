import { type KeyValue, type KvEntry, listAll } from "@sluice/sluice/kv";
import { encodeKey, keyText } from "../../lib/kv/format/key_codec.ts";
import { copyValue } from "../../lib/kv/format/portable_value.ts";
import type { Expiries } from "./expiries.ts";

/** The number of entries for each first part of their keys. */
export type Counts = ReadonlyMap<string, number>;

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
 * that have expired. Returns how many were copied.
 *
 * @throws {Error} The target is not empty.
 */
export async function moveEntries(
  from: KeyValue,
  to: KeyValue,
  expiries: Expiries,
): Promise<Counts> {
  if ((await to.list({ prefix: [] }, { limit: 1 })).entries.length > 0) {
    throw new Error("The target is not empty");
  }
  const counts = new Map<string, number>();
  let batch = to.atomic();
  let [size, bytes] = [0, 0];
  for await (const entry of listAll(from, { prefix: [] }, { pageSize: 500 })) {
    const expireInMs = expiryOf(entry, expiries);
    if (TRANSIENT.test(String(entry.key[0])) || (expireInMs ?? 1) <= 0) continue;
    batch.set(entry.key, entry.value, { expireInMs });
    bytes += copyValue(entry.value).size;
    const kind = String(entry.key[0]);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if (++size < BATCH_SIZE && bytes < BATCH_BYTES) continue;
    await batch.commit();
    batch = to.atomic();
    [size, bytes] = [0, 0];
  }
  await batch.commit();
  return counts;
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
