/**
 * `deno task create DIR [--runtime deno|node|bun] [--package PATH_OR_VERSION]`: creates a project that
 * uses Sluice as a package.
 *
 * Without `--package`, the project gets the package of this checkout, which is built first.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { asksForHelp, CreateError, readArguments, type Wish } from "./create/arguments.ts";
import { createProject } from "./create/create_project.ts";
import { buildPackage } from "./pack/build_package.ts";
import { projectRanges } from "./pack/build_creator.ts";

const USAGE = "Usage: deno task create DIR [--runtime deno|node|bun] [--package PATH_OR_VERSION]";

const scratch = await mkdtemp(join(tmpdir(), "sluice-create-"));
try {
  const args = process.argv.slice(2);
  console.log(asksForHelp(args) ? USAGE : await create(readArguments(args, USAGE)));
} catch (error) {
  if (!(error instanceof CreateError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function create({ folder, runtime, source }: Wish): Promise<string> {
  return await createProject({
    folder,
    runtime,
    source: source ?? { tarball: (await buildPackage(scratch)).file },
    templates: fileURLToPath(new URL("create/template", import.meta.url)),
    ranges: await projectRanges(),
  });
}
