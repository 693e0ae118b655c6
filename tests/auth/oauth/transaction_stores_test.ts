import assert from "node:assert/strict";
import { test } from "node:test";
import {
  KvTransactionStore,
  MemoryTransactionStore,
  type OAuthTransaction,
  type TransactionStore,
} from "../../../lib/auth/mod.ts";
import { FakeClock } from "../../../lib/testing/fake_clock.ts";
import { MemoryKeyValue } from "../../../lib/kv/mod.ts";

const stores: [string, () => Promise<{ store: TransactionStore; close: () => unknown }>][] = [
  ["MemoryTransactionStore", () =>
    Promise.resolve({
      store: new MemoryTransactionStore({ clock: new FakeClock() }),
      close: () => {},
    })],
  ["KvTransactionStore", () => {
    const kv = new MemoryKeyValue();
    const store = new KvTransactionStore(kv, { clock: new FakeClock() });
    return Promise.resolve({ store, close: () => kv.close() });
  }],
];

for (const [name, open] of stores) {
  const it = (sentence: string, body: (store: TransactionStore) => Promise<void>) =>
    test(`${name}.${sentence}`, async () => {
      const { store, close } = await open();
      try {
        await body(store);
      } finally {
        close();
      }
    });

  it("consume() returns what create() stored, once", async (store) => {
    await store.create(transaction("k1"));
    assert.deepEqual(await store.consume("k1"), transaction("k1"));
    assert.equal(await store.consume("k1"), undefined);
  });

  it("consume() returns undefined for an unknown key", async (store) => {
    assert.equal(await store.consume("k1"), undefined);
  });

  it("consume() lets one of many racing calls win", async (store) => {
    await store.create(transaction("k1"));
    const won = await Promise.all(Array.from({ length: 16 }, () => store.consume("k1")));
    assert.equal(won.filter((each) => each !== undefined).length, 1);
  });

  it("consume() removes nothing else", async (store) => {
    await store.create(transaction("k1"));
    await store.create(transaction("k2"));
    await store.consume("k1");
    assert.equal((await store.consume("k2"))?.key, "k2");
  });
}

test("MemoryTransactionStore.create() drops expired transactions, and the oldest past 10,000", async () => {
  const clock = new FakeClock(0);
  const store = new MemoryTransactionStore({ clock });
  for (let at = 0; at < 10_050; at++) await store.create(transaction(`k${at}`, 1000));
  assert.equal(store.size, 10_000);
  assert.equal(await store.consume("k0"), undefined);
  await clock.advance(1000);
  await store.create(transaction("new", 2000));
  assert.equal(store.size, 1);
});

function transaction(key: string, expiresAt = 4_000_000_000_000): OAuthTransaction {
  return {
    key,
    provider: "github",
    redirectUri: "http://localhost/auth/callback/github",
    returnTo: "/",
    browserHash: "hash",
    nonce: "nonce",
    codeVerifier: "verifier",
    expiresAt,
  };
}
