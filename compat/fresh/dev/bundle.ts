import { basename, join, relative, sep } from "node:path";
import { fromFileUrl } from "../http/paths.ts";
import type { ResolvedBuildConfig } from "./config.ts";
import { withEsbuild } from "./esbuild.ts";
import { islandKey } from "./manifest.ts";
import { resolver } from "./resolver.ts";

/** The scripts of a build. */
export interface Bundle {
  /** Address of the script that starts islands. */
  clientEntry: string;
  /** Address of the script that reloads pages, in development. */
  devEntry?: string;
  /** Address and name of each island module, by its name in the manifest. */
  islands: Record<string, { file: string; name: string }>;
  /** Contents by address. */
  files: Map<string, { content: Uint8Array; hash: string }>;
}

const RUNTIME = "fresh-runtime";
const DEV = "fresh-dev";

/** Bundles islands for the browser. Code that several islands use gets its own file. */
export async function bundle(config: ResolvedBuildConfig, islands: string[]): Promise<Bundle> {
  const { root, mode, buildId } = config;
  const isDev = mode === "development";
  const names = uniqueNames(islands);
  const entryPoints: Record<string, string> = { [RUNTIME]: clientFile("boot.ts") };
  if (isDev) entryPoints[DEV] = clientFile("dev.ts");
  islands.forEach((file, i) => entryPoints[names[i]] = file);

  const outdir = join(root, "_fresh");
  const result = await withEsbuild((esbuild) =>
    esbuild.build({
      entryPoints,
      outdir,
      absWorkingDir: root,
      write: false,
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "browser",
      target: ["chrome99", "firefox99", "safari15"],
      minify: !isDev,
      sourcemap: isDev && "linked",
      jsx: "automatic",
      jsxImportSource: "preact",
      logLevel: "silent",
      define: { "process.env.NODE_ENV": JSON.stringify(mode) },
      plugins: [resolver(buildId)],
    })
  );

  const prefix = `/_fresh/js/${buildId}/`;
  const address = (name: string) => `${prefix}${name}.js`;
  return {
    clientEntry: address(RUNTIME),
    devEntry: isDev ? address(DEV) : undefined,
    islands: Object.fromEntries(islands.map((file, i) => [
      islandKey(root, file),
      { file: address(names[i]), name: names[i] },
    ])),
    files: new Map(result.outputFiles.map(({ path, contents, hash }) => [
      prefix + relative(outdir, path).replaceAll(sep, "/"),
      { content: contents, hash: hash.replaceAll(/\W/g, "_") },
    ])),
  };
}

function clientFile(name: string): string {
  return fromFileUrl(new URL(`../client/${name}`, import.meta.url));
}

/** Names of scripts, of characters without a special meaning in HTML and URLs. */
function uniqueNames(files: string[]): string[] {
  const seen = new Map<string, number>();
  return files.map((file) => {
    const name = basename(file).replace(/\.[tj]sx?$/, "").replaceAll(/[^A-Za-z0-9_$]+/g, "_");
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  });
}
