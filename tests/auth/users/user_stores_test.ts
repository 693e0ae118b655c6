import { KvUserStore, MemoryUserStore } from "../../../lib/auth/mod.ts";
import { testUserStore } from "./user_store_suite.ts";
import { MemoryKeyValue } from "../../../lib/kv/mod.ts";

testUserStore("MemoryUserStore", (clock) =>
  Promise.resolve({
    store: new MemoryUserStore({ clock }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));

testUserStore("KvUserStore", (clock) => {
  const kv = new MemoryKeyValue();
  return {
    store: new KvUserStore(kv, { clock }),
    [Symbol.asyncDispose]: () => Promise.resolve(kv.close()),
  };
});
