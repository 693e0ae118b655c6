/**
 * `deno task new consumer NAME`: writes a consumer, its messages, its test, and its route.
 *
 * Writes nothing where it cannot write all of it, and says in one sentence why.
 *
 * @module
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { newConsumer } from "./new/new_consumer.ts";
import { ScaffoldError } from "./new/scaffold_error.ts";

const USAGE = "Say what to make: deno task new consumer NAME";
const ROOT = fileURLToPath(new URL("../", import.meta.url));

try {
  const [kind, name, ...rest] = process.argv.slice(2);
  if (kind !== "consumer" || name === undefined || rest.length > 0) throw new ScaffoldError(USAGE);
  const { path, written, test } = await newConsumer(ROOT, name);
  for (const file of written) console.log(`wrote  ${file}`);
  console.log(`routed ${path}`);
  console.log(`try    deno task test ${test}`);
} catch (error) {
  if (!(error instanceof ScaffoldError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
