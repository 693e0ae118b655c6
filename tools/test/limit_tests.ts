/**
 * Loaded before every test module: gives each test a time limit, `SLUICE_TEST_LIMIT_MS`. Deno ends a
 * test that exceeds it, a synchronous loop too, reports its name and file, and runs the next.
 *
 * @module
 */
import process from "node:process";
import vm from "node:vm";

const timeout = Number(process.env.SLUICE_TEST_LIMIT_MS);

// Deno reports a test under the first line of the stack that is no `ext:` script: the test's own.
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

// `node:test` registers its tests through `Deno.test`.
if (timeout > 0) {
  const test = Object.assign(wrap(Deno.test, { timeout }), Deno.test);
  Object.defineProperty(Deno, "test", { value: test });
}
