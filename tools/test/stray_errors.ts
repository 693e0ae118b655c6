/**
 * Loaded before every test module: writes errors that no test has caught into the file that
 * `SLUICE_STRAY_ERRORS` names.
 *
 * Where `node:test` is used, Deno 2.9.6 drops them: a module that throws after its first test, or a
 * promise that nobody waits for, would pass.
 *
 * @module
 */
import { appendFileSync } from "node:fs";
import process from "node:process";

const file = process.env.SLUICE_STRAY_ERRORS;

if (file) {
  const note = (error: unknown) => {
    console.error("Error outside of a test:", error);
    appendFileSync(file, `${String(error).split("\n")[0]}\n`);
  };
  addEventListener("error", ({ error }) => note(error));
  addEventListener("unhandledrejection", ({ reason }) => note(reason));
}
