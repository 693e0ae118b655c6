import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage } from "../../../tools/pack/build_package.ts";
import { run } from "../../../tools/provide/programs.ts";

const PROGRAMS = new URL("../programs", import.meta.url).pathname;

/** Time limit of the installation, in milliseconds. */
const INSTALL_MS = 120_000;

/** A project of its own that the package is installed in, with the programs of `tests/runtimes`. */
export interface Project extends AsyncDisposable {
  readonly folder: string;
}

/** Builds the package and installs it, as a user would from its tarball, with what it needs on Node. */
export async function installPackage(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-runtimes-"));
  const { file } = await buildPackage(folder);
  const manifest = {
    type: "module",
    dependencies: { "@sluice/sluice": `file:${file}`, "ws": "^8.23.0" },
  };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  const args = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
  const { success, output } = await run("npm", args, { cwd: folder, timeoutMs: INSTALL_MS });
  if (!success) throw new Error(`npm install failed:\n${output}`);
  await cp(PROGRAMS, folder, { recursive: true });
  return {
    folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
