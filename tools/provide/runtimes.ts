import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { cacheDir, installPackages } from "./programs.ts";

/** A JavaScript runtime, by the name under which tests report it. */
export type RuntimeName = "deno" | "node22" | "node24" | "bun";

/** The runtimes that the package supports. */
export const RUNTIMES: readonly RuntimeName[] = ["deno", "node22", "node24", "bun"];

/** Versions that the tests run on. */
export const VERSIONS: Readonly<Record<Exclude<RuntimeName, "deno">, string>> = {
  node22: "22.23.3",
  node24: "24.21.0",
  bun: "1.4.5",
};

/** Time limit of the download, in milliseconds. */
const DOWNLOAD_MS = 300_000;

/** Returns the program of a runtime, or `undefined` if {@linkcode provideRuntimes} must fetch it. */
export function findRuntime(name: RuntimeName): string | undefined {
  if (name === "deno") return Deno.execPath();
  const program = join(folder(), "node_modules", name, "bin", name === "bun" ? "bun" : "node");
  return existsSync(program) ? program : undefined;
}

/**
 * Downloads Node 22, Node 24 and Bun from npm into the shared cache, as programs without installation
 * scripts.
 *
 * @throws {Error} The download failed, or this machine has none of the builds.
 */
export async function provideRuntimes(note: (text: string) => void): Promise<void> {
  if (RUNTIMES.every((name) => findRuntime(name) !== undefined)) return;
  note("Fetching Node 22, Node 24 and Bun from npm");
  // Another run may do the same: each fills its own folder, and the first one keeps the name.
  const own = `${folder()}.${process.pid}`;
  await mkdir(own, { recursive: true });
  try {
    await installPackages(own, { dependencies: builds() }, DOWNLOAD_MS);
    await rm(folder(), { recursive: true, force: true });
    await rename(own, folder()).catch(() => {});
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** The npm packages that contain the programs for this machine. */
function builds(): Record<string, string> {
  const { node22, node24, bun } = VERSIONS;
  const system = process.platform === "darwin" ? "darwin" : "linux";
  const isArm = process.arch === "arm64";
  const node = `node-${system}-${isArm ? "arm64" : "x64"}`;
  return {
    node22: `npm:${node}@${node22}`,
    node24: `npm:${node}@${node24}`,
    bun: `npm:@oven/bun-${system}-${isArm ? "aarch64" : "x64"}@${bun}`,
  };
}

function folder(): string {
  return join(cacheDir(), `runtimes-${Object.values(VERSIONS).join("-")}`);
}
