import { test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** Options beyond `strict` that the `tsconfig` of a toolkit user may set. */
const STRICTER = { exactOptionalPropertyTypes: true, noPropertyAccessFromIndexSignature: true };

test("lib/ compiles under the strictest options of its users", { timeout: 170_000 }, async () => {
  const { imports, compilerOptions } = JSON.parse(
    await Deno.readTextFile(join(ROOT, "deno.json")),
  );
  const directory = await Deno.makeTempDir();
  try {
    const config = join(directory, "deno.json");
    const options = { imports, compilerOptions: { ...compilerOptions, ...STRICTER } };
    await Deno.writeTextFile(config, JSON.stringify({ ...options, unstable: ["kv", "net"] }));
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--no-lock", "--config", config, join(ROOT, "lib")],
      env: { NO_COLOR: "1" },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
