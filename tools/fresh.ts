/**
 * `deno task fresh [upstream|stand-in]`: shows which Fresh the app uses, or switches.
 *
 * Upstream Fresh comes from JSR. The stand-in in `compat/fresh` replaces it on machines that can reach
 * only npm. The app is the same on both.
 *
 * @module
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { freshOf, isFresh, withFresh } from "./fresh/links.ts";
import { run } from "./provide/programs.ts";

const CONFIG = fileURLToPath(new URL("../deno.json", import.meta.url));
const LOCK = fileURLToPath(new URL("../deno.lock", import.meta.url));
const INSTALL_TIMEOUT_MS = 120_000;

const [wanted] = process.argv.slice(2);
const before = { config: await readFile(CONFIG, "utf8"), lock: await readFile(LOCK, "utf8") };
const current = freshOf(before.config);

if (wanted === undefined || wanted === current) {
  console.log(`The app runs on ${current === "upstream" ? "upstream Fresh" : "the stand-in"}`);
} else if (!isFresh(wanted)) {
  console.error(`Unknown Fresh "${wanted}": use "upstream" or "stand-in"`);
  process.exitCode = 1;
} else {
  await writeFile(CONFIG, withFresh(before.config, wanted));
  // Updates the lock file, and detects modules that could not be loaded at the next start.
  const args = ["cache", "--quiet", "main.ts", "dev.ts"];
  const { success, output } = await run(Deno.execPath(), args, { timeoutMs: INSTALL_TIMEOUT_MS });
  if (success) {
    console.log(`The app now runs on ${wanted === "upstream" ? "upstream Fresh" : "the stand-in"}`);
  } else {
    await Promise.all([writeFile(CONFIG, before.config), writeFile(LOCK, before.lock)]);
    console.error(output.trim());
    console.error(
      `Nothing was changed: cannot load ${wanted}. Upstream Fresh requires access to JSR`,
    );
    process.exitCode = 1;
  }
}
