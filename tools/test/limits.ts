import { readFile } from "node:fs/promises";
import process from "node:process";

/** Default time limit of a test, in milliseconds. */
const TEST_MS = Number(process.env.SLUICE_TEST_MS ?? 60_000);

/** Default time limit of a file, in milliseconds; extended if one of its tests has a longer limit. */
const FILE_MS = Number(process.env.SLUICE_FILE_MS ?? 240_000);

/** Time limits of a test file, in milliseconds. */
export interface Limits {
  /** Limit of each test. */
  readonly testMs: number;
  /** Limit of the file with its tests, hooks and imports. */
  readonly fileMs: number;
}

/** Returns the limits of a test file. A test can request more time with `timeout: 120_000`. */
export async function limitsOf(file: string): Promise<Limits> {
  const asked = [...(await readFile(file, "utf8")).matchAll(/\btimeout: ([\d_]+)/g)]
    .map(([, ms = ""]) => Number(ms.replaceAll("_", "")));
  const testMs = Math.max(TEST_MS, ...asked);
  return { testMs, fileMs: FILE_MS + testMs - TEST_MS };
}
