/** Numbers of tests by result. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The counts of an empty run. */
export const NONE: Counts = { passed: 0, failed: 0, skipped: 0 };

/** The message of a test that failed only because one of its steps failed. */
const STEP_FAILED = /<failure message="\d+ test steps? failed/;

/**
 * Counts the tests in a JUnit report of `deno test`. A test that contains others (`describe`, `t.test`)
 * is counted only if it failed itself.
 */
export function countTests(junit: string): Counts {
  const cases = [...junit.matchAll(/<testcase name="([^"]*)"[^>]*>(.*?)<\/testcase>/gs)];
  const names = cases.map(([, name = ""]) => name);
  const holders = new Set(names.flatMap(ancestors));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [, name = "", body = ""] of cases) {
    const isHolder = holders.has(name);
    if (body.includes("<failure")) {
      if (!(isHolder && STEP_FAILED.test(body))) counts.failed++;
    } else if (!isHolder) {
      counts[body.includes("<skipped") ? "skipped" : "passed"]++;
    }
  }
  return counts;
}

/** Adds up the counts of several runs. */
export function sum(counts: readonly Counts[]): Counts {
  return counts.reduce((a, b) => ({
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  }), NONE);
}

/** Returns the names of the tests that contain a test, from the escaped ` > ` in its name. */
function ancestors(name: string): string[] {
  const parts = name.split(" &gt; ");
  return parts.slice(1).map((_, end) => parts.slice(0, end + 1).join(" &gt; "));
}
