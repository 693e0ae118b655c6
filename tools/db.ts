/**
 * Shows and moves the database of the app.
 *
 * ```sh
 * deno task db                 # what the database of the settings holds
 * deno task db show ADDRESS    # the same for another one
 * deno task db migrate         # creates or migrates the tables
 * deno task db move FROM TO    # copies everything to an empty database, while the app is stopped
 * ```
 *
 * An address is `postgres://…`, `sqlite:PATH`, or a path or URL of Deno KV.
 */
import process from "node:process";
import { withoutSecrets } from "../app/database.ts";
import { SettingError } from "../app/settings/settings.ts";
import { openNamed } from "./db/addresses.ts";
import { openExpiries } from "./db/expiries.ts";
import { countEntries, type Counts, missingIn, moveEntries } from "./db/move_entries.ts";

const USAGE = "Usage: deno task db [show [ADDRESS] | migrate [ADDRESS] | move FROM TO]";

async function show(address?: string): Promise<number> {
  await using database = openNamed(address, process.env);
  console.log(withoutSecrets(database.address));
  print(await countEntries(database.kv));
  return 0;
}

async function migrate(address?: string): Promise<number> {
  await using database = openNamed(address, process.env);
  await database.kv.get(["check"]); // The first use creates or migrates the tables.
  console.log(`The tables of ${withoutSecrets(database.address)} are up to date`);
  return 0;
}

async function move(from: string, to: string): Promise<number> {
  await using source = openNamed(from, {});
  await using target = openNamed(to, {});
  await using expiries = await openExpiries(source.address);
  const moved = await moveEntries(source.kv, target.kv, expiries);
  print(moved);
  const missing = missingIn(await countEntries(target.kv), moved);
  if (missing.size === 0) return console.log("Everything was copied"), 0;
  console.error("The target does not hold:");
  print(missing);
  return 1;
}

function print(counts: Counts): void {
  for (const [kind, count] of counts) console.log(`${String(count).padStart(10)}  ${kind}`);
}

async function main([command = "show", ...addresses]: string[]): Promise<number> {
  const [first, second, ...others] = addresses;
  if (others.length === 0) {
    if (command === "show" && second === undefined) return await show(first);
    if (command === "migrate" && second === undefined) return await migrate(first);
    if (command === "move" && first !== undefined && second !== undefined) {
      return await move(first, second);
    }
  }
  console.error(USAGE);
  return 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const why = error instanceof SettingError ? error.message : messageOf(error);
  console.error(withoutSecrets(why));
  process.exitCode = 1;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}
