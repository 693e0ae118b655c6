import { buildId } from "../build/build_id.ts";
import { StandInError } from "../error.ts";
import { resolvePath } from "../http/paths.ts";

/** Options of the builder. Paths are absolute, `file:` URLs, or relative to `root`. */
export interface BuildOptions {
  /** Directory of the project. @default the working directory */
  root?: string;
  /** Directory of a production build. @default {"_fresh"} */
  outDir?: string;
}

/** The builder's options, with defaults filled in and paths made absolute. */
export type ResolvedBuildConfig = Required<BuildOptions> & {
  staticDir: string;
  islandDir: string;
  routeDir: string;
  /** The module that exports `app`. */
  serverEntry: string;
  mode: "development" | "production";
  buildId: string;
};

/**
 * Applies the defaults.
 *
 * @throws {StandInError} Only upstream Fresh has another option.
 */
export function resolveConfig(options: BuildOptions = {}): ResolvedBuildConfig {
  const { root: from = ".", outDir = "_fresh", ...others } = options;
  for (const name of Object.keys(others)) throw new StandInError(`The builder option ${name}`);
  const root = resolvePath(from, Deno.cwd());
  return {
    root,
    outDir: resolvePath(outDir, root),
    staticDir: resolvePath("static", root),
    islandDir: resolvePath("islands", root),
    routeDir: resolvePath("routes", root),
    serverEntry: resolvePath("main.ts", root),
    mode: "production",
    buildId: buildId(),
  };
}
