import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import assert from "node:assert/strict";
import { buildPackage } from "../../tools/pack/build_package.ts";
import { checkPackage } from "../../tools/pack/check_package.ts";
import { findRuntime } from "../../tools/provide/runtimes.ts";

const skip = findRuntime("node24") === undefined && "Node 24 is not installed";

test(
  "the package installs with npm, pnpm, Bun and Deno, its types compile, and the client is small",
  { skip, timeout: 400_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-package-"));
    try {
      const { file, bytes } = await buildPackage(folder);
      assert.ok(bytes < 1_500_000, `${bytes} bytes`);
      assert.ok(await checkPackage(file));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
