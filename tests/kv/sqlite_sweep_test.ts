import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { SqliteKeyValue } from "../../lib/kv/sqlite/mod.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-sweep-"));
after(() => rmSync(folder, { recursive: true }));

test("SqliteKeyValue deletes at most 500 expired entries after a commit, found by their index", async () => {
  const path = join(folder, "kv.sqlite");
  {
    await using kv = new SqliteKeyValue(path);
    await kv.set(["kept"], 1);
  }
  const db = new DatabaseSync(path);
  db.exec(`WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1200)
    INSERT INTO sluice_kv SELECT CAST('x' || n AS BLOB), '1', 1, 1 FROM n`);
  const count = () => Number(db.prepare("SELECT count(*) AS n FROM sluice_kv").get()!["n"]);
  const left: number[] = [];
  await using kv = new SqliteKeyValue(path);
  for (let n = 0; n < 4; n++) {
    await kv.set(["kept"], n);
    // The sweep follows the commit, and precedes the next one.
    await kv.set(["kept"], n);
    left.push(count());
  }
  for (const [index, rows] of left.entries()) {
    assert.ok(rows >= Math.max(1, 1_201 - 500 * 2 * (index + 1)), `${left}`);
  }
  assert.equal(left.at(-1), 1);
  const plan = db.prepare("EXPLAIN QUERY PLAN SELECT key FROM sluice_kv WHERE expires_at <= 1")
    .all();
  assert.match(JSON.stringify(plan), /sluice_kv_expires_at/);
  db.close();
});
