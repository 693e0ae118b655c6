import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";

/** Returns the folder for downloads that all runs share. */
export function cacheDir(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sluice");
}

/** Returns the path of the first of `names` that is on the `PATH`. */
export function findProgram(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}

/**
 * Installs the npm packages of a manifest into a folder, without their installation scripts.
 *
 * @throws {Error} The download failed.
 */
export async function installPackages(
  folder: string,
  manifest: {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly overrides?: unknown;
  },
  timeoutMs: number,
): Promise<void> {
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  const args = ["install", "--quiet", "--no-lock", "--node-modules-dir=auto"];
  const { success, output } = await run(Deno.execPath(), args, { timeoutMs, cwd: folder });
  if (!success) throw new Error(output.trim().split("\n").at(-1));
}

/**
 * Runs a program until it exits, or for `timeoutMs`. Returns whether it succeeded, its standard output,
 * and both of its outputs.
 */
export async function run(
  command: string,
  args: string[],
  options: { env?: Record<string, string>; timeoutMs: number; cwd?: string },
): Promise<{ success: boolean; stdout: string; output: string }> {
  try {
    const result = await new Deno.Command(command, {
      args,
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      env: options.env ?? {},
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(options.timeoutMs),
    }).output();
    const stdout = new TextDecoder().decode(result.stdout);
    const stderr = new TextDecoder().decode(result.stderr);
    return { success: result.success, stdout, output: `${stdout}${stderr}` };
  } catch (error) {
    return { success: false, stdout: "", output: String(error) };
  }
}
