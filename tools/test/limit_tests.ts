/**
 * Loaded before each test module: sets the time limit of each test to `SLUICE_TEST_LIMIT_MS`. Deno stops
 * a test that exceeds it, even a synchronous loop, reports its name and file, and runs the next test.
 *
 * @module
 */
import process from "node:process";
import vm from "node:vm";

const timeout = Number(process.env.SLUICE_TEST_LIMIT_MS);

// Deno attributes a test to the first stack frame outside `ext:` scripts, so this wrapper is named `ext:`.
const wrap: (test: typeof Deno.test, options: { timeout: number }) => typeof Deno.test = vm
  .runInThisContext(
    `(test, defaults) => (...args) => {
      const at = args.findIndex((arg) => typeof arg === "object" && arg !== null);
      if (at >= 0) args[at] = { ...defaults, ...args[at] };
      else args.splice(-1, 0, defaults);
      return test(...args);
    }`,
    { filename: "ext:sluice/limit_tests.js" },
  );

// `node:test` registers tests with `Deno.test`.
if (timeout > 0) {
  const test = Object.assign(wrap(Deno.test, { timeout }), Deno.test);
  Object.defineProperty(Deno, "test", { value: test });
}
