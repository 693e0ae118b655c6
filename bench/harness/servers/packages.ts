import { existsSync } from "node:fs";
import { cacheDir } from "../../../tools/provide/programs.ts";
import { Unavailable } from "../unavailable.ts";

const PEERS = new URL("../../peers/", import.meta.url).pathname;
const INSTALL_TIMEOUT_MS = 240_000;

/** npm packages with exact versions. */
export type Packages = Readonly<Record<string, string>>;

const installing = new Map<string, Promise<void>>();

/**
 * Installs a peer's packages into the cache folder once, and puts its program next to them.
 *
 * They are not in the app's `deno.json`, so that the app installs without them.
 *
 * @returns The folder, without a trailing `/`.
 * @throws {Unavailable} The packages cannot be installed.
 */
export async function providePackages(
  name: string,
  packages: Packages,
  options: { readonly program?: string; readonly note: (text: string) => void },
): Promise<string> {
  const versions = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  const folder = `${cacheDir()}/bench/${[name, ...versions].join("+").replaceAll("/", "_")}`;
  if (!existsSync(folder)) {
    if (!installing.has(folder)) {
      options.note(`Installing ${versions.join(", ")} from npm`);
      installing.set(folder, install(folder, packages));
    }
    await installing.get(folder);
  }
  if (options.program) await Deno.copyFile(PEERS + options.program, `${folder}/${options.program}`);
  return folder;
}

/** Installs atomically: into a temporary folder, which is then renamed. */
async function install(folder: string, packages: Packages): Promise<void> {
  const unfinished = `${folder}.${crypto.randomUUID()}`;
  await Deno.mkdir(unfinished, { recursive: true });
  const manifest = { private: true, type: "module", dependencies: packages };
  await Deno.writeTextFile(`${unfinished}/package.json`, JSON.stringify(manifest));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet", "--no-lock"],
    cwd: unfinished,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stderr: "piped",
    signal: AbortSignal.timeout(INSTALL_TIMEOUT_MS),
  }).output();
  if (success) return await Deno.rename(unfinished, folder).catch(() => {});
  await Deno.remove(unfinished, { recursive: true });
  const reason = new TextDecoder().decode(stderr).trim().split("\n").at(0)
    ?.replace(/^error: |\.$/g, "");
  throw new Unavailable(`npm cannot install ${Object.keys(packages).join(", ")}: ${reason}`);
}
