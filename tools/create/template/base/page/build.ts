import type { BuildOptions } from "esbuild";

/** How the script of the page is built. */
export const pageBuild: BuildOptions = {
  entryPoints: ["page/page.ts"],
  outfile: "build/page.js",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  logLevel: "warning",
};
