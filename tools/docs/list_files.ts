import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";

const SKIPPED = /(?:^|\/)(?:\.git|node_modules|_fresh|\.data|dist)(?:\/|$)|\.log$|deno\.lock$/;
const BINARY = /\.(?:png|jpe?g|gif|ico|webp|avif|woff2?|wasm|sqlite3.*)$/;

/** Returns the paths of all text files of a project, sorted and relative to `root`. */
export async function listFiles(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !SKIPPED.test(file) && !BINARY.test(file))
    .sort();
}
