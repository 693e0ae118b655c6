import { existsSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { findPackageJSON } from "node:module";
import { pathToFileURL } from "node:url";
import { fromFileUrl } from "../http/paths.ts";
import type { Esbuild } from "./esbuild.ts";

const RUNTIME_FILE = fromFileUrl(new URL("../runtime.ts", import.meta.url));
const CLIENT_HEAD_FILE = fromFileUrl(new URL("../client/head.ts", import.meta.url));
const BUILD_ID_FILE = fromFileUrl(new URL("../build/build_id.ts", import.meta.url));

/**
 * Makes esbuild resolve modules as Deno does: with the import map and exports of `deno.json`, and npm
 * packages from Deno's cache. Both use the same copy of a package.
 */
export function resolver(buildId: string): Esbuild.Plugin {
  return {
    name: "deno",
    setup(build) {
      build.onResolve({ filter: /^\.\/head\.ts$/ }, ({ importer }) =>
        // Omitted from the bundle, with its listener, if unused.
        importer === RUNTIME_FILE ? { path: CLIENT_HEAD_FILE, sideEffects: false } : undefined);
      build.onResolve(
        { filter: /^[^./]/ },
        ({ path, importer, kind }) =>
          kind === "entry-point" && !/^(npm|jsr|@|\w+:)/.test(path)
            ? undefined
            : resolve(path, importer),
      );
      build.onLoad(
        { filter: /build_id\.ts$/ },
        ({ path }) =>
          path === BUILD_ID_FILE
            ? { contents: `export const buildId = () => ${JSON.stringify(buildId)};` }
            : undefined,
      );
      build.onLoad({ filter: /\.[tj]sx?$/ }, ({ path }) => inlinePublicEnv(path));
    },
  };
}

const PUBLIC_ENV =
  /Deno\.env\.get\(\s*["'](FRESH_PUBLIC_\w+)["']\s*\)|process\.env\.(FRESH_PUBLIC_\w+)/g;

/** Replaces environment variables for browsers with constants, because a browser has none. */
function inlinePublicEnv(path: string): Esbuild.OnLoadResult | undefined {
  if (isInPackage(path)) return;
  const source = Deno.readTextFileSync(path);
  if (!source.includes("FRESH_PUBLIC_")) return;
  const contents = source.replaceAll(PUBLIC_ENV, (_, inDeno, inNode) => {
    return JSON.stringify(Deno.env.get(inDeno ?? inNode)) ?? "undefined";
  });
  return { contents, loader: /\.[tj]sx?$/.exec(path)![0].slice(1) as Esbuild.Loader };
}

async function resolve(specifier: string, importer: string): Promise<Esbuild.OnResolveResult> {
  if (specifier.startsWith("node:")) {
    return failure(`"${specifier}" is for servers: an island cannot use it (${importer})`);
  }
  if (isInPackage(importer)) return resolveFromPackage(specifier, importer);
  try {
    const url = await resolveInDeno(specifier);
    if (!url.startsWith("file:")) return failure(`"${specifier}" is not on this machine: ${url}`);
    const path = fromFileUrl(url);
    return isInPackage(path) ? preferBrowser(path) : { path };
  } catch (error) {
    return failure(error instanceof Error ? error.message : String(error));
  }
}

/** Loads a package, because Deno knows the location only of loaded packages. */
async function resolveInDeno(specifier: string): Promise<string> {
  const url = import.meta.resolve(specifier);
  if (!url.startsWith("npm:") && !url.startsWith("jsr:")) return url;
  await import(url).catch(() => {}); // It may need a browser; resolving it is enough.
  return import.meta.resolve(specifier);
}

function failure(text: string): Esbuild.OnResolveResult {
  return { errors: [{ text }] };
}

/** Returns whether a file belongs to an npm package, in Deno's cache or in `node_modules`. */
function isInPackage(path: string): boolean {
  return /[\\/](?:npm[\\/][^\\/]+|node_modules)[\\/]/.test(path);
}

function resolveFromPackage(specifier: string, importer: string): Esbuild.OnResolveResult {
  const { name, subpath } = splitSpecifier(specifier);
  const file = findPackageJSON(name, pathToFileURL(importer).href);
  if (file === undefined) return failure(`"${name}", which ${importer} needs, is not installed`);
  const manifest = readManifest(file);
  const entry = selectEntry(manifest, subpath);
  return {
    path: join(dirname(file), entry),
    sideEffects: manifest.sideEffects === false ? false : undefined,
  };
}

/**
 * Returns the browser version of a file that Deno chose for servers.
 *
 * It must be the same file that other packages import: with two copies of `preact/hooks` in a bundle,
 * the hooks of one of them do nothing.
 */
function preferBrowser(path: string): Esbuild.OnResolveResult {
  const root = packageRoot(path);
  if (root === undefined) return { path };
  const manifest = readManifest(join(root, "package.json"));
  const sideEffects = manifest.sideEffects === false ? false : undefined;
  const subpath = subpathOf(manifest, `./${relative(root, path).replaceAll(sep, "/")}`);
  if (subpath === undefined) return { path, sideEffects };
  return { path: join(root, selectEntry(manifest, subpath)), sideEffects };
}

/** Returns the package folder of a file. Subfolders of a package may have manifests too. */
function packageRoot(path: string): string | undefined {
  let root: string | undefined;
  for (let dir = dirname(path); isInPackage(join(dir, "x")); dir = dirname(dir)) {
    if (existsSync(join(dir, "package.json"))) root = dir;
    if (basename(dir) === "node_modules") break;
  }
  return root;
}

/** Returns the subpath under which a package exports a file, under any condition. */
function subpathOf(manifest: PackageManifest, file: string): string | undefined {
  const { exports, module, main } = manifest;
  if (exports === undefined) {
    return [main, module].some((entry) => entry && join("./", entry) === join(file))
      ? "."
      : undefined;
  }
  const bySubpath = isSubpaths(exports) ? exports : { ".": exports };
  return Object.keys(bySubpath).find((subpath) => filesOf(bySubpath[subpath]).includes(file));
}

function filesOf(exports: Exports): string[] {
  if (typeof exports === "string") return [exports];
  return exports === null ? [] : Object.values(exports).flatMap(filesOf);
}

type Exports = string | null | Exports[] | { [name: string]: Exports };

interface PackageManifest {
  name?: string;
  main?: string;
  module?: string;
  browser?: string | Record<string, unknown>;
  exports?: Exports;
  sideEffects?: unknown;
}

function readManifest(file: string): PackageManifest {
  return JSON.parse(Deno.readTextFileSync(file));
}

/** Splits `npm:@scope/name@1/sub/path` into the package and `./sub/path`. */
function splitSpecifier(specifier: string): { name: string; subpath: string } {
  const [, name, rest] = /^(?:npm:)?((?:@[^/]+\/)?[^/@]+)(?:@[^/]+)?(\/.*)?$/.exec(specifier) ??
    ["", specifier, ""];
  return { name, subpath: "." + (rest ?? "") };
}

/** Returns a package's browser file for a subpath. */
function selectEntry(manifest: PackageManifest, subpath: string): string {
  const { exports, browser, module, main } = manifest;
  if (exports === undefined) {
    if (subpath !== ".") return subpath;
    return (typeof browser === "string" ? browser : undefined) ?? module ?? main ?? "index.js";
  }
  const bySubpath = isSubpaths(exports) ? exports : { ".": exports };
  const direct = selectCondition(bySubpath[subpath]);
  if (direct) return direct;
  for (const [pattern, target] of Object.entries(bySubpath)) {
    const [start, end] = pattern.split("*");
    if (end === undefined || !subpath.startsWith(start) || !subpath.endsWith(end)) continue;
    const matched = subpath.slice(start.length, subpath.length - end.length);
    const path = selectCondition(target);
    if (path) return path.replaceAll("*", matched);
  }
  throw new Error(`Package "${manifest.name}" does not export "${subpath}"`);
}

function isSubpaths(exports: Exports): exports is { [name: string]: Exports } {
  return typeof exports === "object" && exports !== null && !Array.isArray(exports) &&
    Object.keys(exports).every((key) => key.startsWith("."));
}

const CONDITIONS = new Set(["browser", "module", "import", "default"]);

function selectCondition(exports: Exports | undefined): string | undefined {
  if (typeof exports === "string") return exports;
  if (exports === null || exports === undefined) return;
  const candidates = Array.isArray(exports)
    ? exports
    : Object.entries(exports).filter(([name]) => CONDITIONS.has(name)).map(([, target]) => target);
  for (const candidate of candidates) {
    const path = selectCondition(candidate);
    if (path) return path;
  }
}
