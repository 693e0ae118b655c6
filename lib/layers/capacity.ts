import { nonLocalName } from "./input.ts";

/**
 * A pattern of channel names, and the capacity of matching channels in messages. In a string, `*`
 * matches any run of characters and `?` matches one.
 */
export type CapacityRule = readonly [pattern: string | RegExp, capacity: number];

/**
 * Returns a function from a channel's name to its capacity. The first matching rule decides.
 *
 * @throws {RangeError} A capacity is not a positive integer.
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
    throw new RangeError(`Cannot use a capacity of ${capacity}: it must be a positive integer`);
  }
}

/** Removes `g` and `y`, with which `test()` would continue from its last match. */
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
