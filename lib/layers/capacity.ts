import { nonLocalName } from "./names.ts";

/**
 * A pattern of channel names, and how many messages such a channel holds. In a string `*` stands for
 * any run of characters and `?` for one.
 */
export type CapacityRule = readonly [pattern: string | RegExp, capacity: number];

/**
 * Returns a function that says how many messages a channel holds: the first rule that fits decides.
 *
 * @throws {RangeError} A capacity is no positive integer.
 */
export function capacityOf(
  rules: readonly CapacityRule[],
  fallback: number,
): (channel: string) => number {
  assertCapacity(fallback);
  const compiled = rules.map(([pattern, capacity]) => {
    assertCapacity(capacity);
    const expression = typeof pattern === "string" ? globToRegExp(pattern) : stateless(pattern);
    return { expression, capacity };
  });
  if (compiled.length === 0) return () => fallback;
  return (channel) => {
    const name = nonLocalName(channel);
    return compiled.find((rule) => rule.expression.test(name))?.capacity ?? fallback;
  };
}

function assertCapacity(capacity: number): void {
  if (!Number.isInteger(capacity) || capacity < 1) {
    throw new RangeError(`Cannot use a capacity of ${capacity}: it takes a whole number above 0`);
  }
}

/** With `g` or `y`, `test()` would begin where the last one ended. */
function stateless(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
}

function globToRegExp(glob: string): RegExp {
  const source = glob.replace(/[.+^${}()|[\]\\!/-]/g, "\\$&").replaceAll("*", ".*").replaceAll(
    "?",
    ".",
  );
  return new RegExp(`^${source}$`);
}
