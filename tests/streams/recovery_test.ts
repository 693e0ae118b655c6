import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { MemoryKeyValue } from "@sluice/sluice/kv";
import { SqliteKeyValue } from "@sluice/sluice/kv/sqlite";
import { KvStreamStore, MemoryStreamStore, type StreamStore } from "@sluice/sluice/streams";
import {
  commandsUnderCuts,
  readUnderCuts,
  resumeAnywhere,
} from "../support/streams/stream_load.ts";
import type { StreamStoreOptions } from "../../lib/streams/stream_options.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-recovery-"));
const sqlite = new SqliteKeyValue(join(folder, "streams.sqlite"));
after(async () => {
  await sqlite.close();
  rmSync(folder, { recursive: true });
});

/** For more databases, and the full size: `deno task bench stream_faults`. */
const stores: Record<string, (options?: StreamStoreOptions) => StreamStore> = {
  MemoryStreamStore: (options) => new MemoryStreamStore(options),
  KvStreamStore: (options) => new KvStreamStore(new MemoryKeyValue(), options),
  "KvStreamStore on SQLite": (options) => {
    return new KvStreamStore(sqlite, { ...options, prefix: crypto.randomUUID() });
  },
};

for (const [name, create] of Object.entries(stores)) {
  test(`readers whose sockets are cut get every message once and in order, with ${name}`, async () => {
    const load = { messages: 200, perSecond: 200, cuts: 25, readers: 3 };
    const { heard, recoveries, cuts } = await readUnderCuts(create(), load);
    const all = Array.from({ length: load.messages }, (_, index) => index + 1);
    for (const offsets of heard) assert.deepEqual(offsets, all);
    assert.ok(cuts > 0);
    assert.ok(recoveries.every(({ recovered }) => recovered));
  });
}

for (const [name, create] of Object.entries(stores)) {
  test(`readers are told whether messages were lost, wherever they return, with ${name}`, async () => {
    const outcomes = await resumeAnywhere(create({ maxMessages: 50 }), {
      messages: 150,
      clients: 20,
    });
    assert.ok(outcomes.some(({ recovered }) => !recovered));
    for (const { from, recovered, heard } of outcomes) {
      assert.equal(recovered, from >= 100, `from ${from}`);
      const first = Math.max(from, 100) + 1;
      assert.deepEqual(heard, Array.from({ length: 151 - first }, (_, index) => first + index));
    }
  });
}

for (const type of ["add", "run"] as const) {
  test(`commands of type "${type}" whose replies are lost take effect once`, async () => {
    const store = new MemoryStreamStore({ maxMessages: 10_000 });
    const load = { type, commands: 100, cutShare: 0.2, sockets: 25 };
    const { replies, effects, cuts } = await commandsUnderCuts(store, load);
    assert.ok(cuts > 0);
    assert.equal(replies.size, load.commands);
    assert.equal(effects.size, load.commands);
    for (const [number, ids] of effects) assert.deepEqual(ids, [replies.get(number)]);
  });
}
