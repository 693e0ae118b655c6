import { MemoryUserStore } from "../../../lib/auth/mod.ts";
import { testUserStore } from "../../../lib/testing/mod.ts";

testUserStore("MemoryUserStore", (clock) => new MemoryUserStore({ clock }));
