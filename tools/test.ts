/**
 * `deno task test [path…] [--quick] [--filter=…]`: runs all tests, or those under the given paths.
 * `--quick` runs only the tests that need no server, no browser and no other process.
 *
 * Checks types, installs the browser and Redis if tests need them, and runs the tests and then the
 * examples in the documentation. Each test and each file has a time limit. The last line contains the
 * counts, also after a signal: `N passed, N failed, N skipped`.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { provideBrowser } from "./provide/browser.ts";
import { provideDurableSuite } from "./provide/durable_suite.ts";
import { providePostgres } from "./provide/postgres.ts";
import { provideRuntimes } from "./provide/runtimes.ts";
import { provideRedis } from "./provide/redis.ts";
import { type Counts, NONE, sum } from "./test/junit.ts";
import { limitsOf } from "./test/limits.ts";
import { endAll } from "./test/process_group.ts";
import { deno } from "./test/run_deno.ts";
import { FROZEN, runTests, type TestOptions } from "./test/run_tests.ts";
import { quickOf, select, type Selection, thatSay, withImports } from "./test/selection.ts";

/** Number of files that run at once: two more than cores, because many tests wait. */
const JOBS = Number(process.env.DENO_JOBS ?? availableParallelism() + 2);

/** Time limit of all documentation examples together, in milliseconds. */
const EXAMPLES_MS = 300_000;

/** How long the run may take to stop after a signal, in milliseconds. */
const STOP_MS = 5_000;

const isQuick = process.argv.includes("--quick");
const flags = process.argv.slice(2).filter((arg) => arg.startsWith("-") && arg !== "--quick");
const paths = process.argv.slice(2).filter((arg) => !arg.startsWith("-"));

let counts = NONE;
let signalled: string | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void stop(signal));

const work = runSelected();
await work;
if (signalled === undefined) finish();

async function runSelected(): Promise<void> {
  try {
    const all = await select(paths);
    const selection = isQuick ? await quickOf(all) : all;
    const leftOut = isQuick ? [] : await provide(selection);
    await runAll(selection);
    for (const line of leftOut) console.log(line);
  } catch (error) {
    console.error(error);
    count({ ...NONE, failed: 1 });
  }
}

/** Stops running tests, which count as failed, and this process. */
async function stop(signal: NodeJS.Signals): Promise<void> {
  if (signalled !== undefined) return;
  signalled = signal;
  console.log(`Interrupted by ${signal}`);
  await endAll();
  await Promise.race([work, pause(STOP_MS)]);
  finish();
  process.exit();
}

/** Installs the programs that the selected tests need. Returns a line for each failure. */
async function provide({ tests, e2e }: Selection): Promise<string[]> {
  const note = (text: string) => console.log(`${text} …`);
  const wanted: [name: string, asks: RegExp, get: () => Promise<unknown>][] = [
    ["browser", /\bwhyNoBrowser\b/, () => provideBrowser(note)],
    ["runtimes", /\bfindRuntime\b/, () => provideRuntimes(note)],
    ["conformance suite", /\bfindDurableSuite\b/, () => provideDurableSuite(note)],
    ["Redis", /\bfindRedis\b/, () => provideRedis(note)],
    ["PostgreSQL", /\bfindPostgres\b/, () => providePostgres(note)],
  ];
  const leftOut: string[] = [];
  const files = await withImports([...tests, ...e2e]);
  for (const [name, asks, get] of wanted) {
    if ((await thatSay(asks, files)).length === 0) continue;
    await get().catch((error) => leftOut.push(`Skipping tests with a ${name}: ${error.message}`));
  }
  return leftOut;
}

async function runAll({ tests, e2e, docs }: Selection): Promise<void> {
  // In parallel: tests with processes mostly wait, and take longest.
  const left = [...e2e];
  await Promise.all([
    runFiles(left, { jobs: 1 }),
    (async () => {
      if (!isQuick) await checkTypes([...tests, ...e2e]);
      await runFiles([...tests], { jobs: JOBS, isPatient: true, isHeld: true });
      await runExamples(docs);
      await runFiles(left, { jobs: Math.max(1, JOBS - 2), isHeld: true });
    })(),
  ]);
}

async function runExamples(docs: readonly string[]): Promise<void> {
  if (docs.length === 0 || signalled !== undefined) return;
  const { testMs } = await limitsOf(docs[0]!);
  const args = ["--doc", ...flags];
  count(await runTests(docs, { args, testMs, fileMs: EXAMPLES_MS, isPatient: true }));
}

/**
 * Takes files from `left` until it is empty, and runs each in its own process, so that a file that hangs
 * can be stopped alone.
 */
async function runFiles(
  left: string[],
  { jobs, ...options }: { jobs: number } & Pick<TestOptions, "isPatient" | "isHeld">,
): Promise<void> {
  const work = async () => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      if (signalled !== undefined) return;
      const args = ["--no-check", ...flags];
      count(await runTests([file], { args, ...options, ...await limitsOf(file) }));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
}

/** Checks types separately, so that a type error in one test does not stop the others. */
async function checkTypes(files: readonly string[]): Promise<void> {
  if (files.length === 0) return;
  const check = ["check", "--quiet", ...FROZEN, ...files];
  const { success } = await deno(check, { isPatient: true });
  if (!success) count({ ...NONE, failed: 1 });
}

function count(more: Counts): void {
  counts = sum([counts, more]);
}

function finish(): void {
  const { passed, failed, skipped } = counts;
  const isNothing = passed + failed + skipped === 0;
  if (isNothing) console.log("No tests found");
  process.exitCode = failed > 0 || isNothing || signalled !== undefined ? 1 : 0;
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
}
