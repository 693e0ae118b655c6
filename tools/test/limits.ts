import { readFile } from "node:fs/promises";
import process from "node:process";

/** How long a test may take that does not ask for more, in milliseconds. */
const TEST_MS = Number(process.env.SLUICE_TEST_MS ?? 60_000);

/** How long a file may take in all, in milliseconds: more if one of its tests may take more. */
const FILE_MS = Number(process.env.SLUICE_FILE_MS ?? 240_000);

/** Time limits of a test file, in milliseconds. */
export interface Limits {
  /** Of each of its tests. */
  readonly testMs: number;
  /** Of the file, with its tests, hooks and imports. */
  readonly fileMs: number;
}

/** Returns the limits of a test file: a test may ask for more with `timeout: 120_000`. */
export async function limitsOf(file: string): Promise<Limits> {
  const asked = [...(await readFile(file, "utf8")).matchAll(/\btimeout: ([\d_]+)/g)]
    .map(([, ms = ""]) => Number(ms.replaceAll("_", "")));
  const testMs = Math.max(TEST_MS, ...asked);
  return { testMs, fileMs: FILE_MS + testMs - TEST_MS };
}
