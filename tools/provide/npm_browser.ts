import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "./browser.ts";
import { cacheDir, run } from "./programs.ts";

const UNPACK = fileURLToPath(new URL("./unpack_browser.ts", import.meta.url));
const UNPACK_TIMEOUT_MS = 180_000;
const FONTS_FILE = "fonts.conf";

/** Returns the browser of the npm package `@sparticuz/chromium`, where it has been unpacked. */
export async function findNpmBrowser(): Promise<Browser | undefined> {
  const folder = await unpackedFolder();
  const executablePath = join(folder, "chromium");
  if (!existsSync(executablePath) || !existsSync(join(folder, FONTS_FILE))) return undefined;
  const libraries = join(folder, "al2023", "lib");
  const fonts = { FONTCONFIG_FILE: join(folder, FONTS_FILE) };
  const env = existsSync(libraries) ? { ...fonts, LD_LIBRARY_PATH: libraries } : fonts;
  return { executablePath, env };
}

/**
 * Unpacks that browser (about 3 s, 210 MB), with the libraries and fonts that a bare system lacks.
 *
 * Whole or not at all: it is unpacked beside its place, then moved there, whoever else does the same.
 *
 * @returns Why it could not; nothing where it could.
 */
export async function unpackNpmBrowser(): Promise<string | undefined> {
  const folder = await unpackedFolder();
  const unfinished = `${folder}.${crypto.randomUUID()}`;
  await mkdir(unfinished, { recursive: true });
  // The package unpacks into the temporary folder of its process, so it gets a process of its own.
  const args = ["run", "-A", "--quiet", UNPACK];
  const options = { env: { TMPDIR: unfinished }, timeoutMs: UNPACK_TIMEOUT_MS };
  const { success, output } = await run(Deno.execPath(), args, options);
  await writeFile(join(unfinished, FONTS_FILE), fontsConfig(folder));
  if (success && !await findNpmBrowser()) {
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder).catch(() => {});
  }
  await rm(unfinished, { recursive: true, force: true });
  return success ? undefined : `that of npm could not be unpacked: ${output.trim().slice(-300)}`;
}

/**
 * Says where the fonts are. The package's own file names folders of the machines that it was made for;
 * without any font text has no size, and some pages end the browser.
 */
function fontsConfig(folder: string): string {
  const folders = [join(folder, "fonts"), "/usr/share/fonts", "/usr/local/share/fonts"];
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    "<fontconfig>",
    ...folders.map((path) => `  <dir>${path}</dir>`),
    `  <cachedir>${join(folder, "fonts-cache")}</cachedir>`,
    "</fontconfig>",
    "",
  ].join("\n");
}

/** Makes the browser take the libraries of the system: those of its package may be newer. */
export async function dropNpmLibraries(): Promise<void> {
  await rm(join(await unpackedFolder(), "al2023"), { recursive: true, force: true });
}

/** Takes the browser away again, where it does not start. */
export async function dropNpmBrowser(): Promise<void> {
  await rm(await unpackedFolder(), { recursive: true, force: true });
}

/** One folder for each version, so that an update of the package is seen. */
async function unpackedFolder(): Promise<string> {
  const module = fileURLToPath(import.meta.resolve("@sparticuz/chromium"));
  const about = await readFile(join(dirname(dirname(module)), "package.json"), "utf8");
  return join(cacheDir(), `chromium-${JSON.parse(about).version}`);
}
