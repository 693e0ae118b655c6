/** Most files in one folder. */
export const MAX_FILES = 16;

/** A folder with one numbered file per decision, which only grows. */
const GROWING = "docs/decisions";

/** Most lines of a file in `lib/`. */
export const MAX_LINES = 250;

/** Returns a line for each folder of `files` with more than {@linkcode MAX_FILES} files. */
export function checkFolders(files: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const file of files) {
    const folder = file.slice(0, Math.max(0, file.lastIndexOf("/")));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].filter(([folder]) => folder !== "" && folder !== GROWING)
    .filter(([, count]) => count > MAX_FILES)
    .map(([folder, count]) =>
      `${folder}/ has ${count} files, but at most ${MAX_FILES} are allowed`
    );
}

/** Returns a line for each file in a folder of tests that is no test and belongs into `tests/support/`. */
export function checkTests(files: readonly string[]): string[] {
  return files.filter((file) => /^tests\/(?!support\/)/.test(file) && !/_test\.tsx?$/.test(file))
    .map((file) => `${file} is not a test: move it to tests/support/`);
}

/** Returns a line for each file of `lib/` with more than {@linkcode MAX_LINES} lines. */
export function checkLengths(texts: ReadonlyMap<string, string>): string[] {
  return [...texts].filter(([file]) => /^lib\/.*\.tsx?$/.test(file))
    .map(([file, text]) => [file, text.split("\n").length - 1] as const)
    .filter(([, lines]) => lines > MAX_LINES)
    .map(([file, lines]) => `${file} has ${lines} lines, but at most ${MAX_LINES} are allowed`);
}
