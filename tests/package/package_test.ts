import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { test } from "node:test";
import assert from "node:assert/strict";
import { extract } from "tar";
import { buildCreator } from "../../tools/pack/build_creator.ts";
import { checkPackage } from "../../tools/pack/check_package.ts";
import { providePackage } from "../../tools/pack/provide_package.ts";
import { run } from "../../tools/provide/programs.ts";
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

test(
  "create-sluice creates the same project on Node, Bun and Deno",
  { skip, timeout: 90_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-creator-"));
    try {
      const { file } = await buildCreator(folder);
      await extract({ file, cwd: folder });
      const program = join(folder, "package/create.js");
      const versions = await Promise.all(
        (["node22", "bun", "deno"] as const).map(async (name) => {
          const target = join(folder, name, "my-app");
          const args = [...name === "deno" ? ["run", "-A"] : [], program, target];
          const options = { timeoutMs: 30_000 };
          const { success, output } = await run(findRuntime(name)!, args, options);
          assert.ok(success, output);
          assert.match(output, /deno install\n {2}deno task dev/);
          const { success: again } = await run(findRuntime(name)!, args, options);
          assert.equal(again, false, "a folder that is not empty was accepted");
          return await filesUnder(target);
        }),
      );
      assert.ok(versions[0]!.size > 15);
      assert.match(versions[0]!.get("deno.json")!, /npm:@sluice\/sluice@\^\d/);
      assert.deepEqual(versions[1], versions[0]);
      assert.deepEqual(versions[2], versions[0]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);

async function filesUnder(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(
    await Promise.all(
      paths.map(async (path) => [relative(folder, path), await readFile(path, "utf8")] as const),
    ),
  );
}
