import { join, relative, sep } from "node:path";
import type { ResolvedBuildConfig } from "./config.ts";

/** The source files of an app. */
export interface SourceFiles {
  /** Absolute paths of route files. */
  routes: string[];
  /** Absolute paths, or specifiers, of modules whose exports are islands. */
  islands: string[];
}

const TEST_FILE = /[._]test\.[tj]sx?$/;
const PRIVATE_FOLDER = /\/\((_[^/]+)\)\//;

/** Finds the routes and islands of a project, in a stable order. */
export async function crawl(
  { routeDir, islandDir }: ResolvedBuildConfig,
  registered: Iterable<string>,
): Promise<SourceFiles> {
  const isSource = (path: string) => /\.[tj]sx?$/.test(path) && !TEST_FILE.test(path);
  const islands = (await listFiles(islandDir)).filter(isSource);
  const routes: string[] = [];
  for (const path of (await listFiles(routeDir)).filter(isSource)) {
    const inRoutes = relative(routeDir, path).replaceAll(sep, "/");
    const folder = PRIVATE_FOLDER.exec(`/${inRoutes}`)?.[1];
    if (folder === undefined) routes.push(path);
    else if (folder === "_islands") islands.push(path);
  }
  return { routes: routes.sort(), islands: [...new Set([...islands, ...registered])].sort() };
}

/** Returns all files below a directory, sorted, or none if it does not exist. */
export async function listFiles(directory: string): Promise<string[]> {
  const files: string[] = [];
  try {
    for await (const entry of Deno.readDir(directory)) {
      const path = join(directory, entry.name);
      if (entry.isDirectory) files.push(...await listFiles(path));
      else if (entry.isFile) files.push(path);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files.sort();
}
