/**
 * `deno task test [path…] [--quick] [--filter=…]`: every test there is, or those under the paths.
 * With `--quick` only those that need no server, no browser and no other process.
 *
 * Checks the types, gets the browser and the Redis that the tests need, runs the tests and then the
 * examples of the documentation. Each test and each file has a time limit. The last line is the count,
 * also after a signal: `N passed, N failed, N skipped`.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { provideBrowser } from "./provide/browser.ts";
import { provideRedis } from "./provide/redis.ts";
import { type Counts, NONE, sum } from "./test/junit.ts";
import { limitsOf } from "./test/limits.ts";
import { endAll } from "./test/process_group.ts";
import { deno } from "./test/run_deno.ts";
import { FROZEN, runTests, type TestOptions } from "./test/run_tests.ts";
import { quickOf, select, type Selection, thatSay, withImports } from "./test/selection.ts";

/** Files that run at once where they may: two more than there are cores, as many tests wait. */
const JOBS = Number(process.env.DENO_JOBS ?? availableParallelism() + 2);

/** How long the examples of the documentation may take in all, in milliseconds. */
const EXAMPLES_MS = 300_000;

/** How long the run may take to end after a signal, in milliseconds. */
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

/** Ends what runs, which counts as failed, and this process. */
async function stop(signal: NodeJS.Signals): Promise<void> {
  if (signalled !== undefined) return;
  signalled = signal;
  console.log(`Interrupted by ${signal}`);
  await endAll();
  await Promise.race([work, pause(STOP_MS)]);
  finish();
  process.exit();
}

/** Gets what the selected tests ask for; returns what was left out and why. */
async function provide({ tests, e2e }: Selection): Promise<string[]> {
  const note = (text: string) => console.log(`${text} …`);
  const wanted: [name: string, asks: RegExp, get: () => Promise<unknown>][] = [
    ["browser", /\bwhyNoBrowser\b/, () => provideBrowser(note)],
    ["Redis", /\bfindRedis\b/, () => provideRedis(note)],
  ];
  const leftOut: string[] = [];
  const files = await withImports([...tests, ...e2e]);
  for (const [name, asks, get] of wanted) {
    if ((await thatSay(asks, files)).length === 0) continue;
    await get().catch((error) => leftOut.push(`Left out: tests with a ${name}: ${error.message}`));
  }
  return leftOut;
}

async function runAll({ tests, e2e, docs }: Selection): Promise<void> {
  // Beside each other: those with processes of their own mostly wait, and take longest.
  await Promise.all([
    runFiles(e2e, { jobs: 1 }),
    (async () => {
      if (!isQuick) await checkTypes([...tests, ...e2e]);
      await runFiles(tests, { jobs: JOBS, isPatient: true, isHeld: true });
      if (docs.length === 0 || signalled !== undefined) return;
      const { testMs } = await limitsOf(docs[0]!);
      const args = ["--doc", ...flags];
      count(await runTests(docs, { args, testMs, fileMs: EXAMPLES_MS, isPatient: true }));
    })(),
  ]);
}

/** Runs each file in a process of its own, so that one that hangs can be ended alone. */
async function runFiles(
  files: readonly string[],
  { jobs, ...options }: { jobs: number } & Pick<TestOptions, "isPatient" | "isHeld">,
): Promise<void> {
  const left = [...files];
  const work = async () => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      if (signalled !== undefined) return;
      const args = ["--no-check", ...flags];
      count(await runTests([file], { args, ...options, ...await limitsOf(file) }));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
}

/** Apart from the run, so that a wrong type in one test keeps no other from running. */
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
  if (isNothing) console.log("There was nothing to run");
  process.exitCode = failed > 0 || isNothing || signalled !== undefined ? 1 : 0;
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
}
