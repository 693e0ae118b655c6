/**
 * Functions for a build's `server.js`. Not for applications.
 *
 * @module
 */
import { join } from "node:path";
import { type App, setSnapshot } from "./app.ts";
import { setBuildId } from "./build/build_id.ts";
import { type Manifest, manifestRoutes, registerIslands } from "./dev/manifest.ts";
import type { StaticFile } from "./build/snapshot.ts";

/** A file of a build; `path` is relative to the build's directory. */
export interface StoredFile {
  path: string;
  hash: string;
  type: string;
}

/** A build as it is written to disk. */
export interface StoredBuild {
  version: string;
  /** The project, relative to the build's directory. */
  root: string;
  clientEntry: string;
  islands: Record<string, { file: string; name: string }>;
  /** By address. */
  files: Record<string, StoredFile>;
}

/** Makes an app serve the build in `directory`. */
export function serveBuild<State>(
  app: App<State>,
  build: StoredBuild,
  manifest: Manifest,
  directory: string,
): void {
  setBuildId(build.version);
  const files = new Map(Object.entries(build.files));
  app.config.mode = "production";
  setSnapshot(app, {
    root: join(directory, build.root),
    dev: false,
    clientEntry: build.clientEntry,
    islands: registerIslands(manifest, build.islands),
    routes: manifestRoutes(manifest),
    async readFile(pathname) {
      const file = files.get(pathname);
      return file === undefined ? null : await storedFile(file, directory);
    },
  });
}

async function storedFile(
  { path, hash, type }: StoredFile,
  directory: string,
): Promise<StaticFile> {
  const absolute = join(directory, path);
  const { size } = await Deno.stat(absolute);
  const open = async () => (await Deno.open(absolute)).readable;
  return { hash, contentType: type, size, open };
}
