import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStreamStore, type StreamStore } from "@sluice/sluice/streams";
import { readHistory } from "../../lib/streams/history.ts";

/** A stream of 30 messages whose first 20 also belong to the epoch "before". */
async function openFork(): Promise<{ store: StreamStore; epoch: string }> {
  const memory = new MemoryStreamStore();
  for (let number = 0; number < 30; number++) await memory.append("room", { type: "said" });
  const earlier = [{ epoch: "before", offset: 20 }];
  const store = new Proxy<StreamStore>(memory, {
    get: (target, name) =>
      name === "read"
        ? async (...args: Parameters<StreamStore["read"]>) => ({
          ...await target.read(...args),
          earlier,
        })
        : Reflect.get(target, name),
  });
  return { store, epoch: (await memory.state("room")).epoch };
}

test("readHistory() goes on in an earlier epoch up to the offset that both share", async () => {
  const { store, epoch } = await openFork();
  const ask = (query: { epoch?: string; after?: number; before?: number }) => {
    return readHistory(store, "room", { limit: 500, ...query });
  };
  const shared = await ask({ epoch: "before", after: 20 });
  assert.deepEqual([shared.epoch, shared.recovered, shared.messages[0]?.offset], [epoch, true, 21]);
  const beyond = await ask({ epoch: "before", after: 21 });
  assert.deepEqual([beyond.recovered, beyond.messages[0]?.offset], [false, 1]);
  assert.equal((await ask({ epoch: "other", after: 1 })).recovered, false);
  assert.equal((await ask({ epoch: "before", before: 21 })).recovered, true);
  assert.equal((await ask({ epoch: "before", before: 22 })).recovered, false);
});
