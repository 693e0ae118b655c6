import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DefinedTest, definedTests } from "./vitest.ts";

/** How many tests run at once. */
const JOBS = 8;

/** Attempts for a test that measures real time, which fails on a busy machine. */
const ATTEMPTS = 3;

/** The outcome of {@linkcode runDurableSuite}. */
export interface SuiteOutcome {
  readonly passed: readonly string[];
  /** The titles of the tests that failed, each with its error. */
  readonly failed: readonly string[];
  readonly leftOut: readonly string[];
}

/**
 * Runs the conformance tests of Durable Streams against a server, except those whose title matches
 * `leaveOut`.
 *
 * @param suite The module of the tests, which imports `vitest`: replaced by the one in this folder.
 */
export async function runDurableSuite(
  suite: string,
  options: {
    readonly baseUrl: string;
    readonly longPollTimeoutMs: number;
    readonly leaveOut: RegExp;
  },
): Promise<SuiteOutcome> {
  await define(suite, options);
  const wanted = definedTests.filter(({ name, isLeftOut }) => {
    return !isLeftOut && !options.leaveOut.test(name);
  });
  const failed = [
    ...await runAll(wanted.filter(({ isConcurrent }) => isConcurrent), Infinity),
    ...await runAll(wanted.filter(({ isConcurrent }) => !isConcurrent), JOBS),
  ];
  const names = new Set(wanted.map(({ name }) => name));
  const isFailed = new Set(failed.map(({ name }) => name));
  return {
    passed: [...names].filter((name) => !isFailed.has(name)),
    failed: failed.map(({ name, error }) => `${name}: ${error}`),
    leftOut: definedTests.map(({ name }) => name).filter((name) => !names.has(name)),
  };
}

async function define(
  suite: string,
  options: { readonly baseUrl: string; readonly longPollTimeoutMs: number },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-durable-"));
  try {
    const code = await readFile(suite, "utf8");
    const vitest = new URL("./vitest.ts", import.meta.url).href;
    const file = join(folder, "suite.mjs");
    await writeFile(file, code.replace(`from "vitest"`, `from ${JSON.stringify(vitest)}`));
    const { runConformanceTests } = await import(`file://${file}`);
    runConformanceTests(options);
  } finally {
    await rm(folder, { recursive: true });
  }
}

interface FailedTest {
  readonly name: string;
  readonly error: unknown;
}

async function runAll(tests: readonly DefinedTest[], jobs: number): Promise<FailedTest[]> {
  const left = [...tests];
  const failed: FailedTest[] = [];
  const work = async () => {
    for (let test = left.shift(); test !== undefined; test = left.shift()) {
      const error = await attempt(test);
      if (error !== undefined) failed.push({ name: test.name, error });
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, tests.length) }, work));
  return failed;
}

async function attempt(test: DefinedTest): Promise<unknown> {
  for (let tries = 1;; tries++) {
    const error = await runTest(test);
    if (error === undefined || tries === ATTEMPTS) return error;
  }
}

async function runTest({ body, timeoutMs }: DefinedTest): Promise<unknown> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not done in ${timeoutMs} ms`)), timeoutMs);
  try {
    await Promise.race([body(), late.promise]);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    clearTimeout(timer);
  }
}
