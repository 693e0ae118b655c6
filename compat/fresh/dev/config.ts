import { buildId } from "../build/build_id.ts";
import { resolvePath } from "../http/paths.ts";

/** Options of the builder. Paths are absolute, `file:` URLs, or relative to `root`. */
export interface BuildOptions {
  /** Target browsers of the islands, in esbuild's notation. */
  target?: string | string[];
  /** Directory of the project. @default the working directory */
  root?: string;
  /** Directory of a production build. @default {"_fresh"} */
  outDir?: string;
  /** Directories of static files; the first one with a file wins. @default {"static"} */
  staticDir?: string | string[];
  /** @default {"islands"} */
  islandDir?: string;
  /** @default {"routes"} */
  routeDir?: string;
  /** The module that exports `app`. @default {"main.ts"} */
  serverEntry?: string;
  /** Files that are neither routes nor islands. @default test files */
  ignore?: RegExp[];
  /** Source maps of a production build, as an esbuild option. */
  sourceMap?: {
    kind: boolean | "linked" | "inline" | "external" | "both";
    sourceRoot?: string;
    sourcesContent?: boolean;
  };
}

/** The builder's options, with defaults filled in and paths made absolute. */
export type ResolvedBuildConfig =
  & Required<Omit<BuildOptions, "sourceMap" | "staticDir">>
  & {
    staticDir: string[];
    mode: "development" | "production";
    buildId: string;
    sourceMap?: BuildOptions["sourceMap"];
  };

const TEST_FILE = /[._]test\.(?:[tj]sx?|[mc][tj]s)$/;

/** Applies the defaults. */
export function resolveConfig(options: BuildOptions = {}): ResolvedBuildConfig {
  const root = resolvePath(options.root ?? ".", Deno.cwd());
  return {
    root,
    target: options.target ?? ["chrome99", "firefox99", "safari15"],
    outDir: resolvePath(options.outDir ?? "_fresh", root),
    staticDir: [options.staticDir ?? "static"].flat().map((dir) => resolvePath(dir, root)),
    islandDir: resolvePath(options.islandDir ?? "islands", root),
    routeDir: resolvePath(options.routeDir ?? "routes", root),
    serverEntry: resolvePath(options.serverEntry ?? "main.ts", root),
    ignore: options.ignore ?? [TEST_FILE],
    mode: "production",
    buildId: buildId(),
    sourceMap: options.sourceMap,
  };
}
