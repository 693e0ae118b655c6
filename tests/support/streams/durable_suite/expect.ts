import assert from "node:assert/strict";

type Check = (actual: never, expected: never) => void;

/** The assertions of `expect()` that the suite uses. */
const CHECKS = {
  toBe: (actual: unknown, expected: unknown) => assert.ok(Object.is(actual, expected)),
  toBeDefined: (actual: unknown) => assert.notEqual(actual, undefined),
  toBeGreaterThan: (actual: number, least: number) => assert.ok(actual > least),
  toBeGreaterThanOrEqual: (actual: number, least: number) => assert.ok(actual >= least),
  toBeLessThan: (actual: number, most: number) => assert.ok(actual < most),
  toBeLessThanOrEqual: (actual: number, most: number) => assert.ok(actual <= most),
  toBeNull: (actual: unknown) => assert.equal(actual, null),
  toBeTruthy: (actual: unknown) => assert.ok(actual),
  toBeUndefined: (actual: unknown) => assert.equal(actual, undefined),
  toContain: (actual: { includes(part: unknown): boolean }, part: unknown) => {
    assert.ok(actual.includes(part));
  },
  toContainEqual: (actual: readonly unknown[], part: object) => {
    assert.ok(actual.some((item) => equals(item, part)));
  },
  toEqual: (actual: unknown, expected: unknown) => assert.deepEqual(plain(actual), plain(expected)),
  toMatch: (actual: string, pattern: RegExp) => assert.match(actual, pattern),
  toThrow: (actual: () => unknown) => assert.throws(actual),
} satisfies Record<string, Check>;

type Expectation = { readonly [Name in keyof typeof CHECKS]: (expected?: unknown) => void };
type LateExpectation = {
  readonly [Name in keyof typeof CHECKS]: (expected?: unknown) => Promise<void>;
};

/** `expect()` of vitest, as far as the suite uses it. */
export function expect(actual: unknown, note?: string) {
  const rejects = mapChecks((name, expected) =>
    rejected(actual as Promise<unknown>, name, expected)
  );
  return {
    ...mapChecks((name, expected) => check(name, actual, expected, note)) as Expectation,
    not: mapChecks((name, expected) => {
      assert.throws(() => check(name, actual, expected), `not ${name} ${show(expected)}: ${note}`);
    }) as Expectation,
    rejects: rejects as LateExpectation,
  };
}

function mapChecks(run: (name: keyof typeof CHECKS, expected: unknown) => unknown) {
  const names = Object.keys(CHECKS) as (keyof typeof CHECKS)[];
  return Object.fromEntries(
    names.map((name) => [name, (expected: unknown) => run(name, expected)]),
  );
}

function check(name: keyof typeof CHECKS, actual: unknown, expected: unknown, note = ""): void {
  try {
    CHECKS[name](actual as never, expected as never);
  } catch {
    throw new Error(`Expected ${show(actual)} ${name} ${show(expected)} ${note}`);
  }
}

async function rejected(
  promise: Promise<unknown>,
  name: keyof typeof CHECKS,
  expected: unknown,
): Promise<void> {
  const error = await promise.then(() => assert.fail("It did not reject"), (error) => error);
  check(name, name === "toThrow" ? () => assert.fail(error) : error, expected);
}

/** Without properties that are `undefined`, and without prototypes. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array || value === undefined
    ? value
    : JSON.parse(JSON.stringify(value));
}

function equals(a: unknown, b: unknown): boolean {
  try {
    CHECKS.toEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

function show(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 200);
}
