/**
 * `deno task new consumer NAME`: creates a consumer with its messages, test and route.
 *
 * If any of these cannot be written, it writes nothing and prints an error.
 *
 * @module
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { newConsumer } from "./new/new_consumer.ts";
import { ScaffoldError } from "./new/consumer_names.ts";

const USAGE = "Usage: deno task new consumer NAME";
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
