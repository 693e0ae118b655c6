import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { create } from "tar";

/** A package that was written. */
export interface BuiltPackage {
  /** Path of the tarball. */
  readonly file: string;
  readonly bytes: number;
  /** Number of files in it. */
  readonly files: number;
}

/** Packs the folder `package` of a directory into a tarball: the same bytes for the same contents. */
export async function archive(
  directory: string,
  folder: string,
  name: string,
): Promise<BuiltPackage> {
  const entries = await readdir(join(directory, "package"), {
    recursive: true,
    withFileTypes: true,
  });
  const paths = entries.filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
  await mkdir(folder, { recursive: true });
  const file = join(folder, name);
  // No owners, one date.
  await create(
    { file, cwd: directory, gzip: true, portable: true, mtime: new Date(0), noDirRecurse: true },
    paths,
  );
  return { file, bytes: (await stat(file)).size, files: paths.length };
}
