#!/usr/bin/env node
/**
 * `npm create sluice DIR [-- --runtime deno|node|bun] [--package PATH_OR_VERSION]`: the program of the
 * package `create-sluice`, which `deno task pack` bundles into one file.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { asksForHelp, CreateError, readArguments, type Wish } from "./arguments.ts";
import { createProject } from "./create_project.ts";

const USAGE = "Usage: create-sluice DIR [--runtime deno|node|bun] [--package PATH_OR_VERSION]";

const args = process.argv.slice(2);

try {
  console.log(asksForHelp(args) ? USAGE : await create(readArguments(args, USAGE)));
} catch (error) {
  if (!(error instanceof CreateError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function create({ folder, runtime, source }: Wish): Promise<string> {
  const text = await readFile(new URL("package.json", import.meta.url), "utf8");
  const { version, projectRanges: ranges } = JSON.parse(text);
  const templates = fileURLToPath(new URL("template", import.meta.url));
  const plan = { folder, runtime, templates, ranges, source: source ?? { version: `^${version}` } };
  return await createProject(plan);
}
