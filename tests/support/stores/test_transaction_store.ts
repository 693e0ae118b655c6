import assert from "node:assert/strict";
import type { OAuthTransaction, TransactionStore } from "../../../lib/auth/oauth/transactions.ts";
import {
  type CreateTestStore,
  defineStoreTests,
} from "../../../lib/testing/stores/define_store_tests.ts";
import type { SuiteOptions } from "../../../lib/testing/bed.ts";

const any = () => true;

/** Defines the tests that every {@linkcode TransactionStore} passes, with `node:test`. */
export function testTransactionStore(
  name: string,
  create: CreateTestStore<TransactionStore>,
  options: SuiteOptions = {},
): void {
  const it = defineStoreTests(name, create, options);

  it("consume() returns what create() stored, once", async (store) => {
    await store.create(transaction("k1"));
    assert.deepEqual(await store.consume("k1", any), transaction("k1"));
    assert.equal(await store.consume("k1", any), undefined);
  });

  it("consume() returns undefined for an unknown key", async (store) => {
    assert.equal(await store.consume("k1", any), undefined);
  });

  it("consume() lets one of many racing calls win", async (store) => {
    await store.create(transaction("k1"));
    const won = await Promise.all(Array.from({ length: 16 }, () => store.consume("k1", any)));
    assert.equal(won.filter((each) => each !== undefined).length, 1);
  });

  it("consume() leaves a transaction that it does not accept", async (store) => {
    await store.create(transaction("k1"));
    const seen: OAuthTransaction[] = [];
    assert.equal(await store.consume("k1", (found) => seen.push(found) === 0), undefined);
    assert.deepEqual(seen, [transaction("k1")]);
    assert.deepEqual(await store.consume("k1", any), transaction("k1"));
  });

  it("consume() removes nothing else", async (store) => {
    await store.create(transaction("k1"));
    await store.create(transaction("k2"));
    await store.consume("k1", any);
    assert.equal((await store.consume("k2", any))?.key, "k2");
  });
}

/** Returns a transaction with a key. */
export function transaction(key: string, expiresAt = 4_000_000_000_000): OAuthTransaction {
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
