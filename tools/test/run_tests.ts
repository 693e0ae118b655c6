import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Counts, countTests, NONE, sum } from "./junit.ts";
import type { FoundSecret } from "./secrets.ts";
import { watchOutput } from "./watch_output.ts";

const PRELOAD = fileURLToPath(new URL("./stray_errors.ts", import.meta.url));

/** Files that run at once where they may: two more than there are cores, as many tests wait. */
const JOBS = String(availableParallelism() + 2);

/** Longest time that one `deno` may take, in milliseconds. */
const TIMEOUT_MS = 480_000;

/** How a `deno` went. */
export interface Run {
  readonly success: boolean;
  /** What looked like secrets in what it printed. */
  readonly secrets: readonly FoundSecret[];
}

/** How `deno` is run. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Whether what runs beside it comes first. */
  readonly isPatient?: boolean;
}

/** Runs `deno` with what it prints going to the terminal, line by line, and looks through that for secrets. */
export async function deno(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { env = {}, isPatient = false } = options;
  const colours: Record<string, string> = Deno.stdout.isTerminal()
    ? { FORCE_COLOR: "1" }
    : { NO_COLOR: "1" };
  const before = isPatient && Deno.build.os !== "windows" ? ["nice", "-n", "5"] : [];
  const [program, ...rest] = [...before, Deno.execPath(), ...args];
  const child = new Deno.Command(program!, {
    args: rest,
    env: { ...colours, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).spawn();
  const [out, error, { success }] = await Promise.all([
    watchOutput(child.stdout, (lines) => writeAll(Deno.stdout, lines)),
    watchOutput(child.stderr, (lines) => writeAll(Deno.stderr, lines)),
    child.status,
  ]);
  return { success, secrets: [...out, ...error] };
}

async function writeAll(to: typeof Deno.stdout, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += await to.write(chunk.subarray(at));
}

/** Says what looked like a secret, without it. Returns how many there were. */
function countAloud(secrets: readonly FoundSecret[]): number {
  for (const { kind, line } of secrets) console.error(`The output has ${kind}: ${line}`);
  return secrets.length;
}

/** `--frozen` where the lock file has the last word: in CI. */
export const FROZEN: readonly string[] = process.env.CI ? ["--frozen"] : [];

/**
 * Runs `files` with `deno test`, and counts.
 *
 * An error outside of the tests counts as a failed one, and so does a line of the output that holds
 * what looks like a secret, and a run that ends badly for any other reason. A module that cannot be found keeps `deno test` from running any: then each file is
 * run by itself, and the others count.
 */
export async function runTests(
  args: readonly string[],
  files: readonly string[],
  run: Pick<RunOptions, "isPatient"> = {},
): Promise<Counts> {
  if (files.length === 0) return NONE;
  const folder = await mkdtemp(join(tmpdir(), "sluice-test-"));
  const [report, strayErrors] = [join(folder, "junit.xml"), join(folder, "stray_errors")];
  try {
    const options = ["-A", ...FROZEN, `--preload=${PRELOAD}`, `--junit-path=${report}`, ...args];
    const env = { SLUICE_STRAY_ERRORS: strayErrors, DENO_JOBS: process.env.DENO_JOBS ?? JOBS };
    const { success, secrets } = await deno(["test", ...options, ...files], { ...run, env });
    if (!existsSync(report) && files.length > 1) {
      const counts: Counts[] = [];
      for (const file of files) counts.push(await runTests(args, [file], run));
      return sum(counts);
    }
    const counts = countTests(await readIfAny(report));
    const stray = (await readIfAny(strayErrors)).split("\n").length - 1;
    const isUnexplained = !success && counts.failed + stray === 0;
    const others = stray + countAloud(secrets) + (isUnexplained ? 1 : 0);
    return { ...counts, failed: counts.failed + others };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readIfAny(path: string): Promise<string> {
  return existsSync(path) ? await readFile(path, "utf8") : "";
}
