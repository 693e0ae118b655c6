import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { cacheDir, run } from "../provide/programs.ts";
import { buildPackage } from "./build_package.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** What the package is made from. */
const SOURCES = ["lib", "tools/pack", "deno.json", "deno.lock", "README.md", "CHANGELOG.md"];

/** Time limit of an installation, in milliseconds. */
const INSTALL_MS = 180_000;

/** How long another process may take to build or install, in milliseconds. */
const OTHERS_MS = 240_000;

/** How long an unused package is kept, in milliseconds. */
const KEPT_MS = 86_400_000;

/** Returns the tarball of a checkout, which is built once for all processes that ask for it. */
export async function providePackage(root: string = ROOT): Promise<string> {
  const folder = join(cacheDir(), "packages", await hashOf(root));
  await makeOnce(folder, async (unfinished) => {
    await buildPackage(unfinished, root);
  });
  const [name] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  if (name === undefined) throw new Error(`${folder} has no package`);
  return join(folder, name);
}

/**
 * Returns a folder in whose `node_modules` npm has installed the package of a checkout and `packages`,
 * once for all processes that ask for it. Put programs into folders in it.
 */
export async function provideInstallation(
  packages: Readonly<Record<string, string>>,
  root: string = ROOT,
): Promise<string> {
  const tarball = await providePackage(root);
  const dependencies = { ...packages, "@sluice/sluice": `file:${tarball}` };
  const manifest = JSON.stringify({ private: true, type: "module", dependencies });
  const folder = `${dirname(tarball)}-${digest(manifest)}`;
  await makeOnce(folder, async (unfinished) => {
    await writeFile(join(unfinished, "package.json"), manifest);
    const args = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
    const { success, output } = await run("npm", args, { cwd: unfinished, timeoutMs: INSTALL_MS });
    if (!success) throw new Error(`npm install failed:\n${output}`);
  });
  return folder;
}

/** Fills a folder unless it exists, while other processes that want the same wait. */
async function makeOnce(folder: string, make: (folder: string) => Promise<void>): Promise<void> {
  const lock = `${folder}.lock`;
  await mkdir(dirname(folder), { recursive: true });
  while (!existsSync(folder)) {
    const isOurs = await mkdir(lock).then(() => true, () => false);
    if (!isOurs) {
      const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: Date.now() }));
      // Its process was killed.
      if (Date.now() - mtimeMs > OTHERS_MS) await rm(lock, { recursive: true, force: true });
      await pause(200);
      continue;
    }
    try {
      if (existsSync(folder)) return;
      await removeOld(dirname(folder));
      const unfinished = await mkdtemp(`${folder}.`);
      await make(unfinished);
      await rename(unfinished, folder);
    } finally {
      await rm(lock, { recursive: true, force: true });
    }
  }
}

async function removeOld(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > KEPT_MS) await rm(path, { recursive: true, force: true });
  }
}

async function hashOf(root: string): Promise<string> {
  const hash = createHash("sha256");
  for (const source of SOURCES) {
    const path = join(root, source);
    for (const file of await filesOf(path)) {
      hash.update(`${file.slice(root.length)}\0`).update(await readFile(file)).update("\0");
    }
  }
  return hash.digest("hex").slice(0, 16);
}

async function filesOf(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name)).sort();
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
