/**
 * `deno task pack`: writes the npm packages to `dist/`: `sluice-sluice-VERSION.tgz`, and
 * `create-sluice-VERSION.tgz`, which creates projects.
 *
 * `deno task pack --check` also installs the first into empty projects with npm, pnpm, Bun and Deno, compiles
 * against its types, and measures the bundled client.
 *
 * @module
 */
import process from "node:process";
import { buildCreator } from "./pack/build_creator.ts";
import { buildPackage } from "./pack/build_package.ts";

const built = [await buildPackage("dist"), await buildCreator("dist")];
for (const { file, bytes, files } of built) {
  console.log(`${file}: ${files} files, ${(bytes / 1024).toFixed(0)} KiB`);
}
if (process.argv.includes("--check")) {
  const { checkPackage } = await import("./pack/check_package.ts");
  process.exitCode = await checkPackage(built[0]!.file) ? 0 : 1;
}
