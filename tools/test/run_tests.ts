import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Counts, countTests, NONE, sum } from "./junit.ts";

const PRELOAD = fileURLToPath(new URL("./stray_errors.ts", import.meta.url));

/** Longest time that one `deno` may take, in milliseconds. */
const TIMEOUT_MS = 480_000;

/** Runs `deno` with what it prints going to the terminal; returns whether it went well. */
export async function deno(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: Deno.stdout.isTerminal() ? env : { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).output();
  return success;
}

/** `--frozen` where the lock file has the last word: in CI. */
export const FROZEN: readonly string[] = process.env.CI ? ["--frozen"] : [];

/**
 * Runs `files` with `deno test`, and counts.
 *
 * An error outside of the tests counts as a failed one, and so does a run that ends badly for any
 * other reason. A module that cannot be found keeps `deno test` from running any: then each file is
 * run by itself, and the others count.
 */
export async function runTests(args: readonly string[], files: readonly string[]): Promise<Counts> {
  if (files.length === 0) return NONE;
  const folder = await mkdtemp(join(tmpdir(), "sluice-test-"));
  const [report, strayErrors] = [join(folder, "junit.xml"), join(folder, "stray_errors")];
  try {
    const options = ["-A", ...FROZEN, `--preload=${PRELOAD}`, `--junit-path=${report}`, ...args];
    const env = { SLUICE_STRAY_ERRORS: strayErrors };
    const success = await deno(["test", ...options, ...files], env);
    if (!existsSync(report) && files.length > 1) {
      const counts: Counts[] = [];
      for (const file of files) counts.push(await runTests(args, [file]));
      return sum(counts);
    }
    const counts = countTests(await readIfAny(report));
    const stray = (await readIfAny(strayErrors)).split("\n").length - 1;
    const isUnexplained = !success && counts.failed + stray === 0;
    return { ...counts, failed: counts.failed + stray + (isUnexplained ? 1 : 0) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readIfAny(path: string): Promise<string> {
  return existsSync(path) ? await readFile(path, "utf8") : "";
}
