/**
 * `deno task pack`: writes the npm package to `dist/sluice-sluice-VERSION.tgz`.
 *
 * `deno task pack --check` also installs it into empty projects with npm, pnpm, Bun and Deno, compiles
 * against its types, and measures the bundled client.
 *
 * @module
 */
import process from "node:process";
import { buildPackage } from "./pack/build_package.ts";

const { file, bytes, files } = await buildPackage("dist");
console.log(`${file}: ${files} files, ${(bytes / 1024).toFixed(0)} KiB`);
if (process.argv.includes("--check")) {
  const { checkPackage } = await import("./pack/check_package.ts");
  process.exitCode = await checkPackage(file) ? 0 : 1;
}
