import { stat } from "node:fs/promises";
import { test } from "node:test";
import assert from "node:assert/strict";
import { checkPackage } from "../../tools/pack/check_package.ts";
import { providePackage } from "../../tools/pack/provide_package.ts";
import { findRuntime } from "../../tools/provide/runtimes.ts";

const skip = findRuntime("node24") === undefined && "Node 24 is not installed";

test(
  "the package installs with npm, pnpm, Bun and Deno, its types compile, and the client is small",
  { skip, timeout: 400_000 },
  async () => {
    const file = await providePackage();
    const { size } = await stat(file);
    assert.ok(size < 1_500_000, `${size} bytes`);
    assert.ok(await checkPackage(file));
  },
);
