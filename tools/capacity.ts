/**
 * Computes what a number of sockets costs on several hosts with PostgreSQL and Redis, and which limit
 * is reached first: `deno task capacity --sockets 1000000 --hosts 20`.
 *
 * The load: `--processes-per-host`, `--messages-per-socket` (a second), `--group-size`,
 * `--socket-seconds` (until a socket is opened anew), `--sign-in-seconds`. Your own figures:
 * `--database-reads`, `--database-commits`, `--read-ms`, `--commit-ms`, `--redis-messages`,
 * `--delivery-us`, `--message-us`, `--upgrade-us`, `--socket-bytes`, `--process-bytes`.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { MEASURED, TYPICAL } from "./capacity/costs.ts";
import { capacityOf, type Load, type UnitCosts } from "./capacity/model.ts";
import { countOperations } from "./capacity/operations.ts";
import { toTable } from "./capacity/report.ts";

const DEFAULTS: Load & UnitCosts = { ...MEASURED, ...TYPICAL, sockets: 1_000_000, hosts: 20 };

/** Returns the option of a setting: `--group-size` for `groupSize`. */
function optionOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Reads the options. @throws {TypeError} An option is unknown. @throws {RangeError} No number. */
function readOptions(args: readonly string[]): Load & UnitCosts {
  const names = Object.keys(DEFAULTS);
  const options = Object.fromEntries(
    names.map((name) => [optionOf(name), { type: "string" }]),
  ) as Record<string, { readonly type: "string" }>;
  const { values } = parseArgs({ args: [...args], options });
  const given = names.filter((name) => values[optionOf(name)] !== undefined).map((name) => {
    const value = Number(values[optionOf(name)]);
    if (!(value > 0)) throw new RangeError(`--${optionOf(name)} accepts a number greater than 0`);
    return [name, value];
  });
  return { ...DEFAULTS, ...Object.fromEntries(given) };
}

try {
  const asked = readOptions(process.argv.slice(2));
  console.log(toTable([[asked, capacityOf(asked, asked, await countOperations())]]));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
