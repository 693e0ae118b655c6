import { join } from "node:path";
import { mediaTypeOf } from "../http/media_types.ts";
import type { Snapshot, StaticFile } from "../build/snapshot.ts";
import type { Bundle } from "./bundle.ts";
import type { ResolvedBuildConfig } from "./config.ts";
import { type Manifest, manifestRoutes, registerIslands } from "./manifest.ts";
import { isStylesheet, lockUrls } from "./stylesheets.ts";

/** Serves a build from memory, and reads static files from disk at each request. */
export function memorySnapshot(
  config: ResolvedBuildConfig,
  bundle: Bundle,
  manifest: Manifest,
): Snapshot {
  return {
    root: config.root,
    dev: config.mode === "development",
    clientEntry: bundle.clientEntry,
    devEntry: bundle.devEntry,
    islands: registerIslands(manifest, bundle.islands),
    routes: manifestRoutes(manifest),
    async readFile(pathname) {
      const script = bundle.files.get(pathname);
      if (script !== undefined) return fileOf(pathname, script.content, script.hash);
      const content = await readStatic(config.staticDir, pathname);
      return content === null ? null : fileOf(pathname, content, null);
    },
  };
}

function fileOf(pathname: string, content: Uint8Array, hash: string | null): StaticFile {
  return {
    hash,
    contentType: mediaTypeOf(pathname),
    size: content.byteLength,
    open: () => Promise.resolve(content as Uint8Array<ArrayBuffer>),
  };
}

async function readStatic(directory: string, pathname: string): Promise<Uint8Array | null> {
  const segments = pathname.split("/").slice(1).map(decodeURIComponent);
  if (!segments.every(isFileName)) return null;
  const path = join(directory, ...segments);
  try {
    if (!(await Deno.stat(path)).isFile) return null;
    const content = await Deno.readFile(path);
    return isStylesheet(path) ? lockUrls(content) : content;
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (isMissing) return null;
    throw error;
  }
}

/** Security: refuses paths outside the directory, and hidden files except `.well-known`. */
export function isFileName(segment: string): boolean {
  return !/[\\/\0]/.test(segment) && (!segment.startsWith(".") || segment === ".well-known");
}
