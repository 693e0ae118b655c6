import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryTransactionStore } from "../../../lib/auth/oauth/transactions.ts";
import { FakeClock } from "../../../lib/testing/fake_clock.ts";
import { testTransactionStore, transaction } from "../../support/stores/test_transaction_store.ts";

testTransactionStore("MemoryTransactionStore", (clock) => new MemoryTransactionStore({ clock }));

test("MemoryTransactionStore.create() drops expired transactions, and the oldest past 10,000", async () => {
  const clock = new FakeClock(0);
  const store = new MemoryTransactionStore({ clock });
  for (let at = 0; at < 10_050; at++) await store.create(transaction(`k${at}`, 1000));
  assert.equal(store.size, 10_000);
  assert.equal(await store.consume("k0", () => true), undefined);
  await clock.advance(1000);
  await store.create(transaction("new", 2000));
  assert.equal(store.size, 1);
});
