import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { cacheDir, installPackages } from "./programs.ts";

const NAME = "@durable-streams/server-conformance-tests";
const VERSION = "0.3.6";
const SHA256 = "9b9314136c4ac84c0448ed8786296061e9d1be66887c6494ac66cd57f10f661a";

/** Time limit of the download, in milliseconds. */
const DOWNLOAD_MS = 120_000;

/** Returns the path of the conformance tests of Durable Streams, if {@linkcode provideDurableSuite} fetched them. */
export function findDurableSuite(): string | undefined {
  return existsSync(cachedSuite()) ? cachedSuite() : undefined;
}

/**
 * Downloads the conformance tests of Durable Streams from npm into the shared cache: one module that
 * imports `vitest`, without `vitest` itself, which `tests/support/streams/durable_suite/` replaces.
 *
 * @throws {Error} The download failed, or the module is another one.
 */
export async function provideDurableSuite(note: (text: string) => void): Promise<void> {
  if (findDurableSuite() !== undefined) return;
  note("Fetching the conformance tests of Durable Streams from npm");
  const folder = `${cachedSuite()}.${process.pid}`;
  await mkdir(folder, { recursive: true });
  try {
    const small = "npm:picocolors@1.1.1";
    const manifest = {
      dependencies: { [NAME]: `npm:${NAME}@${VERSION}` },
      overrides: { "vitest": small, "fast-check": small, "@durable-streams/client": small },
    };
    await installPackages(folder, manifest, DOWNLOAD_MS);
    await writeFile(join(folder, "suite.mjs"), await readSuite(folder));
    await rename(join(folder, "suite.mjs"), cachedSuite());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readSuite(folder: string): Promise<Uint8Array> {
  const dist = join(folder, "node_modules", NAME, "dist");
  for (const file of await readdir(dist)) {
    const code = await readFile(join(dist, file));
    if (createHash("sha256").update(code).digest("hex") === SHA256) return code;
  }
  throw new Error(`no module of ${NAME} ${VERSION} has the expected hash`);
}

function cachedSuite(): string {
  return join(cacheDir(), `durable-streams-${VERSION}.mjs`);
}
