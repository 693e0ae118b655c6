import type { KeyValue, KvEntry, KvRange } from "./key_value.ts";

/**
 * Lists all entries of a range, page by page. Entries that are written or deleted meanwhile may be
 * listed or not; all others are listed exactly once.
 *
 * @param pageSize Entries in one read: 1 to 1,000.
 *
 * @example
 * ```ts
 * import { listAll, MemoryKeyValue } from "@sluice/sluice/kv";
 * import assert from "node:assert/strict";
 *
 * await using kv = new MemoryKeyValue();
 * await kv.set(["a", 1], "one");
 * const values = await Array.fromAsync(listAll(kv, { prefix: ["a"] }), ({ value }) => value);
 * assert.deepEqual(values, ["one"]);
 * ```
 */
export async function* listAll<T = unknown>(
  kv: Pick<KeyValue, "list">,
  range: KvRange,
  { reverse = false, pageSize = 100 }: { reverse?: boolean; pageSize?: number } = {},
): AsyncGenerator<KvEntry<T>> {
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor; isFirst = false) {
    const page = await kv.list<T>(range, { limit: pageSize, reverse, cursor });
    yield* page.entries;
    cursor = page.cursor;
  }
}
