/**
 * `deno task test [path…] [--filter=…]`: every test there is, or those under the paths.
 *
 * Checks the types, gets the browser and the Redis that the tests need, runs the tests and then the
 * examples of the documentation. Its last line is the count: `N passed, N failed, N skipped`.
 *
 * @module
 */
import process from "node:process";
import { provideBrowser } from "./provide/browser.ts";
import { provideRedis } from "./provide/redis.ts";
import { type Counts, sum } from "./test/junit.ts";
import { deno, FROZEN, runTests } from "./test/run_tests.ts";
import { select, type Selection, thatSay, withImports } from "./test/selection.ts";

const flags = process.argv.slice(2).filter((arg) => arg.startsWith("-"));
const paths = process.argv.slice(2).filter((arg) => !arg.startsWith("-"));

try {
  const selection = await select(paths);
  const leftOut = await provide(selection);
  const counts = await runAll(selection);
  for (const line of leftOut) console.log(line);
  finish(counts);
} catch (error) {
  console.error(error);
  finish({ passed: 0, failed: 1, skipped: 0 });
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

async function runAll({ tests, e2e, docs }: Selection): Promise<Counts> {
  const isPatient = true;
  // Beside each other: those with processes of their own mostly wait, and take longest.
  return sum(
    await Promise.all([
      runTests(["--no-check", ...flags], e2e),
      runInTurn(
        () => checkTypes([...tests, ...e2e]),
        () => runTests(["--no-check", "--parallel", ...flags], tests, { isPatient }),
        () => runTests(["--doc", ...flags], docs, { isPatient }),
      ),
    ]),
  );
}

async function runInTurn(...runs: readonly (() => Promise<Counts>)[]): Promise<Counts> {
  const counts: Counts[] = [];
  for (const run of runs) counts.push(await run());
  return sum(counts);
}

/** Apart from the run, so that a wrong type in one test keeps no other from running. */
async function checkTypes(files: readonly string[]): Promise<Counts> {
  const isFine = files.length === 0 ||
    (await deno(["check", "--quiet", ...FROZEN, ...files], { isPatient: true })).success;
  return { passed: 0, failed: isFine ? 0 : 1, skipped: 0 };
}

function finish({ passed, failed, skipped }: Counts): void {
  if (passed + failed + skipped === 0) console.log("There was nothing to run");
  process.exitCode = failed > 0 || passed + skipped === 0 ? 1 : 0;
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
}
