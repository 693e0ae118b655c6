import { after, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../../tools/provide/programs.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "sluice-task-"));
after(() => rm(folder, { recursive: true }));

const HEAD = `import { test } from "node:test";\n`;

/** Runs the task over one file of a folder of its own; returns the last line and how it ended. */
async function runTask(name: string, source: string) {
  const path = join(folder, name);
  await writeFile(path, source);
  const command = ["run", "-A", join(root, "tools/test.ts"), path];
  const { success, stdout } = await run(Deno.execPath(), command, { timeoutMs: 60_000 });
  return { success, last: stdout.trimEnd().split("\n").at(-1) };
}

test("task test ends with the count, and well where nothing failed", async () => {
  const source = `${HEAD}test("a", () => {}); test("b", { skip: "no moon" }, () => {});`;
  assert.deepEqual(await runTask("fine_test.ts", source), {
    success: true,
    last: "1 passed, 0 failed, 1 skipped",
  });
});

test("task test ends badly where a test failed", async () => {
  const source = `${HEAD}test("a", () => {}); test("b", () => { throw new Error("no"); });`;
  assert.deepEqual(await runTask("red_test.ts", source), {
    success: false,
    last: "1 passed, 1 failed, 0 skipped",
  });
});

test("task test counts a module that cannot be loaded, in whole or in part, as failed", async () => {
  const nothing = `${HEAD}import "./missing.ts";\ntest("a", () => {});`;
  const half = `${HEAD}test("a", () => {});\nthrow new Error("at load");`;
  const { last, success } = await runTask("half_test.ts", half);
  assert.deepEqual([last, success], ["1 passed, 1 failed, 0 skipped", false]);
  assert.equal((await runTask("nothing_test.ts", nothing)).success, false);
});

test("task test counts an error that no test has caught as failed", async () => {
  const source = `${HEAD}test("a", () => void Promise.reject(new Error("nobody waits")));
    test("b", () => new Promise((resolve) => setTimeout(resolve)));`;
  const { last } = await runTask("stray_test.ts", source);
  assert.equal(last, "2 passed, 1 failed, 0 skipped");
});

test("task test counts wrong types as failed, and runs the tests", async () => {
  const source = `${HEAD}const n: number = "one";\ntest("a", () => void n);`;
  assert.deepEqual(await runTask("untyped_test.ts", source), {
    success: false,
    last: "1 passed, 1 failed, 0 skipped",
  });
});

test("task test ends badly where nothing ran", async () => {
  assert.deepEqual(await runTask("empty_test.ts", "export {};"), {
    success: false,
    last: "0 passed, 0 failed, 0 skipped",
  });
});
