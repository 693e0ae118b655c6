import { join } from "node:path";
import { mediaTypeOf } from "../http/media_types.ts";
import type { Snapshot, StaticFile } from "../build/snapshot.ts";
import type { Bundle } from "./bundle.ts";
import type { ResolvedBuildConfig } from "./config.ts";
import { registerIslands } from "./islands.ts";
import { type Manifest, manifestRoutes } from "./manifest.ts";
import type { Transforms } from "./transforms.ts";

/** Serves a build from memory, and reads static files from disk at each request. */
export function memorySnapshot(
  config: ResolvedBuildConfig,
  bundle: Bundle,
  manifest: Manifest,
  transforms: Transforms,
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
      const content = await readStatic(config, pathname, transforms);
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

async function readStatic(
  { staticDir, mode, root, target }: ResolvedBuildConfig,
  pathname: string,
  transforms: Transforms,
): Promise<Uint8Array | null> {
  const segments = pathname.split("/").slice(1).map(decodeURIComponent);
  if (!segments.every(isFileName)) return null;
  for (const directory of staticDir) {
    const path = join(directory, ...segments);
    try {
      if (!(await Deno.stat(path)).isFile) continue;
      const content = await Deno.readFile(path);
      if (!transforms.concern(path)) return content;
      const made = await transforms.run({ path, content }, { mode, root, target });
      return made.find((file) => file.path === path)?.content ?? null;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
        throw error;
      }
    }
  }
  return null;
}

/** Security: refuses paths outside the directory, and hidden files except `.well-known`. */
export function isFileName(segment: string): boolean {
  return !/[\\/\0]/.test(segment) && (!segment.startsWith(".") || segment === ".well-known");
}
