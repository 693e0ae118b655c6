/** How many tests went which way. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Nothing ran. */
export const NONE: Counts = { passed: 0, failed: 0, skipped: 0 };

/** What a report says of a test that only holds others, one of which failed. */
const STEP_FAILED = /<failure message="\d+ test steps? failed/;

/**
 * Counts the tests of a JUnit report as `deno test` writes it. A test that holds others (`describe`,
 * `t.test`) counts for itself only where it failed by itself.
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

/** The names before each ` > ` in a name, as a report escapes it. */
function ancestors(name: string): string[] {
  const parts = name.split(" &gt; ");
  return parts.slice(1).map((_, end) => parts.slice(0, end + 1).join(" &gt; "));
}
