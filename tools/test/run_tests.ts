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

/** `--frozen` where the lock file has the last word: in CI. */
export const FROZEN: readonly string[] = process.env.CI ? ["--frozen"] : [];

/** How {@linkcode runTests} runs files. */
export interface TestOptions extends Limits, Pick<RunOptions, "isPatient" | "isHeld"> {
  /** Further arguments of `deno test`. */
  readonly args: readonly string[];
}

/**
 * Runs `files` in one process with `deno test`, and counts.
 *
 * Counted as failed as well: an error outside of the tests, a line of the output that looks as if it
 * holds a secret, and a run that takes too long or ends badly for any other reason.
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
    if (run.isLate) console.error(`Ended after its limit of ${limitMs / 1000} s: ${files}`);
    const counts = countTests(await readIfAny(report));
    const stray = (await readIfAny(strayErrors)).split("\n").length - 1;
    const isUnexplained = !run.success && counts.failed + stray === 0;
    if (isUnexplained && !run.isLate) console.error(`Ended badly: ${files}`);
    const others = stray + countAloud(run.secrets) + (isUnexplained ? 1 : 0);
    return { ...counts, failed: counts.failed + others };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Says what looked like a secret, without it. Returns how many there were. */
function countAloud(secrets: readonly FoundSecret[]): number {
  for (const { kind, line } of secrets) console.error(`The output has ${kind}: ${line}`);
  return secrets.length;
}

async function readIfAny(path: string): Promise<string> {
  return existsSync(path) ? await readFile(path, "utf8") : "";
}
