/**
 * `deno task ok [--no-tests]`: runs all required checks of a change, with one line per step. Stops at
 * the first failure. `.ci/run` runs the same checks with `--no-tests`, and then the tests.
 *
 * @module
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { staticSteps, type Step } from "./ok/steps.ts";
import { run } from "./provide/programs.ts";
import { deno } from "./test/run_deno.ts";

const STEP_TIMEOUT_MS = 300_000;

const TESTS: Step = ["tests", ["task", "test"]];

const root = fileURLToPath(new URL("../", import.meta.url));
const tests = process.argv.includes("--no-tests") ? [] : [TESTS];

for (const [name, args] of [...staticSteps(root), ...tests]) {
  const since = performance.now();
  if (!await passes(args)) {
    console.log(`not ok: ${name}`);
    process.exit(1);
  }
  console.log(`ok: ${name} (${((performance.now() - since) / 1000).toFixed(1)} s)`);
}

/** A step prints its output only if it fails, except the tests, which take longest. */
async function passes(args: readonly string[]): Promise<boolean> {
  if (args[0] === "task") return (await deno(args)).success;
  const { success, output } = await run(Deno.execPath(), [...args], { timeoutMs: STEP_TIMEOUT_MS });
  if (!success) console.error(output);
  return success;
}
