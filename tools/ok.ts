/**
 * `deno task ok`: runs all required checks of a change, with one line per step. Stops at the first
 * failure.
 *
 * @module
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { deno } from "./test/run_deno.ts";
import { FROZEN } from "./test/run_tests.ts";
import { run } from "./provide/programs.ts";

const STEP_TIMEOUT_MS = 300_000;

/** A step prints output only on failure, except the tests, which take longest. */
const STEPS: readonly [name: string, args: readonly string[]][] = [
  ["format", ["fmt", "--check"]],
  ["lint", ["lint"]],
  ["types", ["check", ...FROZEN, "."]],
  ["types of the examples", [
    "check",
    "--doc-only",
    ...FROZEN,
    ...existing(["lib", "docs", "README.md"]),
  ]],
  ["tests", ["task", "test"]],
  ["publish (dry run)", ["publish", "--dry-run", "--allow-dirty"]],
];

for (const [name, args] of STEPS) {
  const since = performance.now();
  if (!await passes(args)) {
    console.log(`not ok: ${name}`);
    process.exit(1);
  }
  console.log(`ok: ${name} (${((performance.now() - since) / 1000).toFixed(1)} s)`);
}

async function passes(args: readonly string[]): Promise<boolean> {
  if (args[0] === "task") return (await deno(args)).success;
  const { success, output } = await run(Deno.execPath(), [...args], { timeoutMs: STEP_TIMEOUT_MS });
  if (!success) console.error(output);
  return success;
}

function existing(paths: readonly string[]): string[] {
  return paths.filter((path) => existsSync(path));
}
