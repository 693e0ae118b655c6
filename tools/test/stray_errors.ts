/**
 * Loaded before each test module: writes errors that no test caught to the file named by
 * `SLUICE_STRAY_ERRORS`.
 *
 * With `node:test`, Deno 2.9.6 drops such errors: a module that throws after its first test, or an
 * unhandled rejection, would pass.
 *
 * @module
 */
import { appendFileSync } from "node:fs";
import process from "node:process";

const file = process.env.SLUICE_STRAY_ERRORS;

if (file) {
  const note = (error: unknown) => {
    console.error("Error outside a test:", error);
    appendFileSync(file, `${String(error).split("\n")[0]}\n`);
  };
  addEventListener("error", ({ error }) => note(error));
  addEventListener("unhandledrejection", ({ reason }) => note(reason));
}
