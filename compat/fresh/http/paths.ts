import { isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** Returns the path of a `file:` URL, or the given path. */
export function fromFileUrl(path: string | URL): string {
  const text = String(path);
  return text.startsWith("file:") ? fileURLToPath(text) : text;
}

/** Resolves a `file:` URL, an absolute path, or a path relative to `root`. */
export function resolvePath(path: string, root: string): string {
  const local = fromFileUrl(path);
  return isAbsolute(local) ? local : join(root, local);
}

/** Returns whether a path is a directory or inside it. */
export function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== ".." && !way.startsWith("../") && !way.startsWith("..\\") && !isAbsolute(way);
}
