import { isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The path of a `file:` URL, or of a path that is one already. */
export function fromFileUrl(path: string | URL): string {
  const text = String(path);
  return text.startsWith("file:") ? fileURLToPath(text) : text;
}

/** A path given as a `file:` URL, absolute, or relative to `root`. */
export function resolvePath(path: string, root: string): string {
  const local = fromFileUrl(path);
  return isAbsolute(local) ? local : join(root, local);
}

/** Whether a path lies in a directory, or is it. */
export function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== ".." && !way.startsWith("../") && !way.startsWith("..\\") && !isAbsolute(way);
}
