import assert from "node:assert/strict";
import type { StreamStore } from "../../streams/mod.ts";
import type { DefineStreamTest } from "./stream_bed.ts";

/** Tests of claims: [H17] to [H19]. */
export function claimTests(define: DefineStreamTest): void {
  define(
    "[H17] lets one caller claim a command, and returns its outcome to others",
    async (bed) => {
      const store = await bed.open();
      const token = await claimed(store, "k");
      assert.deepEqual(await store.claim("k"), { state: "running" });
      assert.equal(await store.settle("k", token, { id: "1" }), true);
      assert.deepEqual(await store.claim("k"), { state: "settled", outcome: { id: "1" } });
      assert.equal(await store.settle("k", token, { id: "2" }), false);
    },
  );

  define("[H17] refuses to settle or renew a claim with another token", async (bed) => {
    const store = await bed.open();
    await claimed(store, "k");
    assert.equal(await store.settle("k", "other", 1), false);
    assert.equal(await store.renew("k", "other"), false);
    await store.release("k", "other");
    assert.deepEqual(await store.claim("k"), { state: "running" });
  });

  define("[H18] releases a claim, so that the command may run again", async (bed) => {
    const store = await bed.open();
    const token = await claimed(store, "k");
    await store.release("k", token);
    assert.notEqual(await claimed(store, "k"), token);
  });

  define("[H19] reports a command whose caller stopped as unknown", async (bed) => {
    const store = await bed.open();
    const token = await claimed(store, "k");
    await bed.pass(9_000);
    assert.equal(await store.renew("k", token), true);
    await bed.pass(9_000);
    assert.deepEqual(await store.claim("k"), { state: "running" });
    await bed.pass(1_001);
    assert.deepEqual(await store.claim("k"), { state: "unknown" });
    assert.equal(await store.settle("k", token, 1), false);
    assert.equal(await store.renew("k", token), false);
  }, { needsFakeTime: true });

  define("[H19] forgets a settled command after the window", async (bed) => {
    const store = await bed.open({ keyWindowMs: 300 });
    await store.settle("k", await claimed(store, "k"), 1);
    await bed.pass(350);
    await claimed(store, "k");
  });
}

/** Tests of claims in several processes. */
export function processClaimTests(define: DefineStreamTest): void {
  define("[H17] lets one caller of all processes claim a command", async (bed) => {
    const stores = [await bed.open(), await bed.open(), await bed.open()];
    const claims = await Promise.all(stores.map((store) => store.claim("k")));
    const won = claims.findIndex(({ state }) => state === "claimed");
    assert.equal(claims.filter(({ state }) => state === "claimed").length, 1);
    const { token } = claims[won] as { token: string };
    assert.equal(await stores[(won + 1) % 3]!.settle("k", token, "done"), true);
    for (const store of stores) {
      assert.deepEqual(await store.claim("k"), { state: "settled", outcome: "done" });
    }
  });
}

async function claimed(store: StreamStore, key: string): Promise<string> {
  const claim = await store.claim(key);
  assert.equal(claim.state, "claimed");
  return (claim as { token: string }).token;
}
