import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { run } from "../../tools/provide/programs.ts";
import { findRuntime } from "../../tools/provide/runtimes.ts";
import { installPackage, type Project } from "./support/installed_package.ts";

const SUITE = "./sqlite_suite_test.js";

/** The fewest tests that the suite has. */
const LEAST = 40;

let project: Project;
before(async () => {
  project = await installPackage();
});
after(() => project[Symbol.asyncDispose]());

for (
  const [name, command] of [["node22", "--test"], ["node24", "--test"], ["bun", "test"]] as const
) {
  const skip = findRuntime(name) === undefined && "not installed";
  test(
    `SqliteKeyValue keeps the contract of KeyValue on ${name}`,
    { skip, timeout: 120_000 },
    async () => {
      const folder = join(project.folder, name);
      await mkdir(folder);
      const { success, output } = await run(findRuntime(name)!, [command, SUITE], {
        cwd: project.folder,
        env: { SUITE_DIR: folder, NO_COLOR: "1" },
        timeoutMs: 50_000,
      });
      assert.ok(success, output);
      const [, passed] = /(?:\bpass (\d+)|(\d+) pass\b)/.exec(output)?.filter(Boolean) ?? [];
      assert.ok(Number(passed) >= LEAST, output);
    },
  );
}
