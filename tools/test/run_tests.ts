import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Counts, countTests } from "./junit.ts";
import type { Limits } from "./limits.ts";
import { deno, type RunOptions } from "./run_deno.ts";
import type { FoundSecret } from "./secrets.ts";

const PRELOAD = ["./limit_tests.ts", "./stray_errors.ts"]
  .map((name) => fileURLToPath(new URL(name, import.meta.url)));

/** `--frozen` in CI, where the lock file must not change. */
export const FROZEN: readonly string[] = process.env.CI ? ["--frozen"] : [];

/** Options for {@linkcode runTests}. */
export interface TestOptions extends Limits, Pick<RunOptions, "isPatient" | "isHeld"> {
  /** Additional arguments of `deno test`. */
  readonly args: readonly string[];
}

/**
 * Runs `files` in one `deno test` process, and counts the results.
 *
 * These also count as failures: an error outside a test, a line of output with a possible secret, and a
 * run that exceeds its limit or fails for another reason.
 */
export async function runTests(files: readonly string[], options: TestOptions): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-test-"));
  const [report, strayErrors] = [join(folder, "junit.xml"), join(folder, "stray_errors")];
  const { args, testMs, fileMs: limitMs } = options;
  try {
    const preload = PRELOAD.map((path) => `--preload=${path}`);
    const command = ["test", "-A", ...FROZEN, ...preload, `--junit-path=${report}`, ...args];
    const env = { SLUICE_STRAY_ERRORS: strayErrors, SLUICE_TEST_LIMIT_MS: String(testMs) };
    const run = await deno([...command, ...files], { ...options, env, limitMs });
    if (run.isLate) console.error(`Stopped after its limit of ${limitMs / 1000} s: ${files}`);
    const counts = countTests(await readIfAny(report));
    const stray = (await readIfAny(strayErrors)).split("\n").length - 1;
    const isUnexplained = !run.success && counts.failed + stray === 0;
    if (isUnexplained && !run.isLate) console.error(`Failed without a failed test: ${files}`);
    const others = stray + countAloud(run.secrets) + (isUnexplained ? 1 : 0);
    return { ...counts, failed: counts.failed + others };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Prints the lines with possible secrets, without the secrets. Returns their number. */
function countAloud(secrets: readonly FoundSecret[]): number {
  for (const { kind, line } of secrets) console.error(`The output contains ${kind}: ${line}`);
  return secrets.length;
}

async function readIfAny(path: string): Promise<string> {
  return existsSync(path) ? await readFile(path, "utf8") : "";
}
