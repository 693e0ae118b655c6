import { KvUserStore, MemoryUserStore } from "../../../lib/auth/mod.ts";
import { testUserStore } from "./user_store_suite.ts";

testUserStore("MemoryUserStore", (clock) =>
  Promise.resolve({
    store: new MemoryUserStore({ clock }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));

testUserStore("KvUserStore", async (clock) => {
  const kv = await Deno.openKv(":memory:");
  return {
    store: new KvUserStore(kv, { clock }),
    [Symbol.asyncDispose]: () => Promise.resolve(kv.close()),
  };
});
