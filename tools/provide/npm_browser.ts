import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDir, run } from "./programs.ts";

/** A browser that can be launched. */
export interface Browser {
  readonly executablePath: string;
  /** Additional environment variables. */
  readonly env: Readonly<Record<string, string>>;
}

const UNPACK = fileURLToPath(new URL("./unpack_browser.ts", import.meta.url));
const UNPACK_TIMEOUT_MS = 180_000;
const FONTS_FILE = "fonts.conf";

/** Returns the browser of the npm package `@sparticuz/chromium`, if it has been unpacked. */
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
 * Unpacks the npm browser (about 3 s, 210 MB) with the libraries and fonts that a bare system lacks.
 *
 * Unpacks to a temporary folder and moves it into place, so that concurrent calls never see an
 * incomplete browser.
 *
 * @returns The reason for a failure, or `undefined` on success.
 */
export async function unpackNpmBrowser(): Promise<string | undefined> {
  const folder = await unpackedFolder();
  const unfinished = `${folder}.${crypto.randomUUID()}`;
  await mkdir(unfinished, { recursive: true });
  // The package unpacks into the temporary folder of its process, so run it in a separate process.
  const args = ["run", "-A", "--quiet", UNPACK];
  const options = { env: { TMPDIR: unfinished }, timeoutMs: UNPACK_TIMEOUT_MS };
  const { success, output } = await run(Deno.execPath(), args, options);
  await writeFile(join(unfinished, FONTS_FILE), fontsConfig(folder));
  if (success && !await findNpmBrowser()) {
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder).catch(() => {});
  }
  await rm(unfinished, { recursive: true, force: true });
  return success ? undefined : `cannot unpack the npm browser: ${output.trim().slice(-300)}`;
}

/**
 * Returns a configuration with the folders of the fonts. The package's own file names folders of other
 * machines. Without a font, text has no size, and some pages crash the browser.
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

/** Makes the browser use the system's libraries: those of its package may be too new. */
export async function dropNpmLibraries(): Promise<void> {
  await rm(join(await unpackedFolder(), "al2023"), { recursive: true, force: true });
}

/** Removes the browser if it does not start. */
export async function dropNpmBrowser(): Promise<void> {
  await rm(await unpackedFolder(), { recursive: true, force: true });
}

/** Returns a folder per version, so that an update of the package takes effect. */
async function unpackedFolder(): Promise<string> {
  const module = fileURLToPath(import.meta.resolve("@sparticuz/chromium"));
  const about = await readFile(join(dirname(dirname(module)), "package.json"), "utf8");
  return join(cacheDir(), `chromium-${JSON.parse(about).version}`);
}
